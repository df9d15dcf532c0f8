-- Whose end made the kernel send a signal: a session leader's hang-up, an orphaned group, a parent's death signal, the
-- end of a pid namespace.
--
-- Why so: for a hang-up no process is the sender, and for the others the sender is one that may only have lost a thread.
-- "It died because that one died" needs that one, and must not be guessed from times.
ALTER TABLE signal ADD COLUMN dying INTEGER REFERENCES process(id);
