-- What has ended is forgotten by its age.
CREATE INDEX automation_firing_ended ON automation_firing (ended_us) WHERE ended_us > 0;
