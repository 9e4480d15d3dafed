//! Every bound of the pure part, each with its reason.

/// Bytes in a job's name. The name becomes part of task ids and paths, whose limit is 255.
pub const NAME_BYTES_MAX: usize = 128;
/// Bytes in a schedule's text; longer ones are hostile, not schedules.
pub const SCHEDULE_BYTES_MAX: usize = 1_024;
/// Bytes in the address of a runbook.
pub const RUNBOOK_BYTES_MAX: usize = 2_048;
/// Labels of a job.
pub const LABELS_MAX: usize = 32;
/// Bytes in the name or the value of a label.
pub const LABEL_BYTES_MAX: usize = 256;
/// Bytes in the name of a source of jobs.
pub const SOURCE_BYTES_MAX: usize = 64;
/// Bytes of the place in its source where a job is defined. A path of Linux has no more.
pub const PLACE_BYTES_MAX: usize = 4_096;
/// Bytes in a command. `execve` takes 128 KiB for one argument; half of it leaves room for what we append.
pub const COMMAND_BYTES_MAX: usize = 65_536;
/// Bytes of all environment variables and arguments of a job together. `execve` takes 2 MiB in all.
pub const ENVIRONMENT_BYTES_MAX: usize = 131_072;
/// Bytes of any other text field of a job. With [`LIST_ITEMS_MAX`] it bounds a job to what one record may hold.
pub const TEXT_BYTES_MAX: usize = 65_536;
/// Bytes of a constraint's regular expression. Reading one takes time and memory by its length long before the size of
/// its automaton can be judged: 40 KB of `\pL` without regard to case take a second and a GB.
pub const PATTERN_BYTES_MAX: usize = 1_024;
/// Bytes of all regular expressions of a job together, for the same reason.
pub const PATTERNS_BYTES_MAX: usize = 4_096;
/// Groups and repetitions inside each other in one of them; nobody can read more.
pub const PATTERN_NESTING_MAX: u32 = 32;
/// Items in any list of a job.
pub const LIST_ITEMS_MAX: usize = 10_000;
/// Bytes of a task id; Mesos makes a directory of it.
pub const TASK_ID_BYTES_MAX: usize = 255;
/// Bytes of a message or sentence kept with a run.
pub const MESSAGE_BYTES_MAX: usize = 4_096;
/// Extra attempts a job may ask for. Each is recorded with its run, so they must be few enough to print.
pub const RETRIES_MAX: i64 = 1_000;
/// Ports a job may ask for. Each becomes a variable of its environment, and an agent has a thousand by default.
pub const PORTS_MAX: u32 = 100;
/// Agents of which is remembered what they offered last. Ten thousand are the largest clusters there are.
pub const SEEN_AGENTS_MAX: usize = 20_000;
/// Agents that are told of one by one where it is said why a run fits on none of them.
pub const MISFITS_TOLD: usize = 20;
/// Due occurrences decided in one step. What is left over asks for another step at once, so that a thousand jobs due
/// in one second neither hold up an API request nor make one unbounded transaction.
pub const DUE_PER_STEP_MAX: usize = 500;
/// Runs placed in one step, for the same reason.
pub const PLACED_PER_STEP_MAX: usize = 500;
/// The same where offers come and go: what one step leaves of a used offer is lost to the next, until it is made again.
pub const PLACED_PER_STEP_IN_CLUSTER_MAX: usize = 5_000;
/// Occurrences of one job counted in one step when a stretch of them was missed. A minute job that was down for a
/// year has 525,600; more than this continues in the next step and extends the same record.
pub const STRETCH_PER_STEP_MAX: u64 = 1_000_000;
/// Occurrences of one job that are compared when its zone's data has changed, from where the clocks part.
pub const ZONE_OCCURRENCES_PER_JOB_MAX: usize = 1_000;
/// Occurrences of all jobs that are compared then, in one step, which takes about a second at worst. Most jobs need
/// three.
pub const ZONE_OCCURRENCES_PER_TERM_MAX: usize = 200_000;
/// Runs of one job that may be live at once. More is a job that never ends on a schedule that never waits; a machine
/// has no use for the ten-thousandth.
pub const LIVE_RUNS_PER_JOB_MAX: usize = 10_000;
/// Occurrences counted by one forecast. A second of work; what comes later is left out, and it is said so.
pub const FORECAST_COUNTED_MAX: u64 = 1_000_000;
/// Minutes told by one forecast: a week in which no minute is free. Beyond, only the most crowded ones are told.
pub const FORECAST_MINUTES_MAX: usize = 10_080;
/// Changes of clock told by one forecast. A year of all zones there are has some hundred.
pub const FORECAST_CHANGES_MAX: usize = 50;
/// Jobs named for each minute of a forecast. A page has no room for more; the count says how many there are.
pub const FORECAST_NAMED_MAX: usize = 10;
/// Children told of the end of a parent's run in one step, for the same reason as with due occurrences.
pub const CHILDREN_PER_STEP_MAX: usize = 500;
/// Rounds of one job that are open at once (`join: due`). A parent that never runs must not make its children
/// remember every instant since.
pub const ROUNDS_MAX: usize = 64;
/// Request keys that are remembered. A client that gives every request a key and never repeats one must not fill the
/// store.
pub const REQUEST_KEYS_MAX: usize = 10_000;
/// Jobs stored at once: they are one decision and one transaction, during which nothing else is decided.
pub const APPLY_MAX: usize = 5_000;
/// Jobs that are cut over at once: they are one decision.
pub const CUT_OVER_MAX: usize = 10_000;
/// Attempts of one run that may follow one of which nobody can say what became of it. A launcher that forgets
/// everything must not start a command for ever.
pub const RELAUNCHES_MAX: usize = 100;
/// Instants of one backfill. Its record holds them all and is written with each of its runs; a longer range can be given
/// in parts.
pub const BACKFILL_MAX: usize = 1_000;
/// Runs of one backfill that may be live at once.
pub const BACKFILL_CONCURRENCY_MAX: u32 = 100;
/// Backfills that are over and still told of.
pub const BACKFILLS_KEPT: usize = 100;
/// Occurrences of one job that are skipped ahead. More is a pause.
pub const SKIPS_MAX: usize = 100;
/// Bytes of the reason that an operator gives.
pub const REASON_BYTES_MAX: usize = 1_024;
/// Jobs that are paused together: they are one decision.
pub const SUBTREE_MAX: usize = 10_000;
/// Jobs below a retried run that are made to follow it once more.
pub const RETRIED_DOWN_MAX: usize = 1_000;
