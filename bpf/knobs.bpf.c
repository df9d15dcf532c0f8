// SPDX-License-Identifier: MIT
/* The knobs, once for all probes, and the licence that the kernel asks of programs that call its GPL helpers. */
#include "snoop.bpf.h"

const volatile struct snoop_knobs knobs SEC(".rodata.knobs") = { .args_bytes = 32768 };

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/*
 * clang writes BTF only for types that a map, a global or a signature reaches. These pointers reach every record, and
 * the enums that only ever appear as constants, so that generate.mjs finds them.
 */
const struct ev_signal *wire_signal __attribute__((unused));
const struct ev_delivery *wire_delivery __attribute__((unused));
const struct ev_attempt *wire_attempt __attribute__((unused));
const struct ev_exec *wire_exec __attribute__((unused));
const struct ev_process *wire_process __attribute__((unused));
const struct ev_exit *wire_exit __attribute__((unused));
const struct ev_oom *wire_oom __attribute__((unused));
const struct ev_cgroup *wire_cgroup __attribute__((unused));
enum snoop_lane wire_lane __attribute__((unused));
enum snoop_flag wire_flag __attribute__((unused));
enum snoop_disposition wire_disposition __attribute__((unused));
enum snoop_sender_state wire_sender_state __attribute__((unused));
enum snoop_scope wire_scope __attribute__((unused));
enum snoop_capture wire_capture __attribute__((unused));
enum snoop_transport wire_transport __attribute__((unused));
enum snoop_tree_mark wire_tree_mark __attribute__((unused));
const struct snoop_piece *wire_piece __attribute__((unused));
