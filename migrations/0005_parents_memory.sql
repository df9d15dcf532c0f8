-- Two facts that the kernel tells at the end: who a process belonged to then (its parent at creation may have died, and
-- somebody else took it in), and how much memory a victim of the OOM killer held.

ALTER TABLE process ADD COLUMN last_parent INTEGER REFERENCES process(id); -- at its end, NULL: the one at creation, or not known

ALTER TABLE oom_kill ADD COLUMN anon_kb INTEGER;  -- resident memory of the victim when it was chosen, KiB; NULL: not known
ALTER TABLE oom_kill ADD COLUMN file_kb INTEGER;
ALTER TABLE oom_kill ADD COLUMN shmem_kb INTEGER;
