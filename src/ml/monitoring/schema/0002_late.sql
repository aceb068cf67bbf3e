ALTER TABLE monitoring_window ADD COLUMN label_delay_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE monitoring_window ADD COLUMN late_rows BIGINT NOT NULL DEFAULT 0;
ALTER TABLE monitoring_window ADD COLUMN late_labels BIGINT NOT NULL DEFAULT 0;
ALTER TABLE monitoring_window ADD COLUMN left_out_rows BIGINT NOT NULL DEFAULT 0;
ALTER TABLE monitoring_window ADD COLUMN left_out_labels BIGINT NOT NULL DEFAULT 0;
