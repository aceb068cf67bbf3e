-- A channel of a program that picks what it wants: it gets only the notices that name it.
ALTER TABLE notice_channel ADD COLUMN only_named BIGINT NOT NULL DEFAULT 0;
