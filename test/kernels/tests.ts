/** The kernel tests that are run on other kernels, in one process: there the start of a process takes seconds. */

import '../kernel/killed.test.js';
import '../kernel/mechanisms.test.js';
import '../kernel/targets.test.js';
import '../kernel/exec.test.js';
import '../kernel/counts.test.js';
import '../kernel/oom.test.js';
import '../kernel/delivery.test.js';
import '../kernel/threads.test.js';
import '../kernel/refused.test.js';
