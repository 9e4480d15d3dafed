//! Any job, run and stretch, for the tests that nothing is lost on the way to the disk and back.
//!
//! Every field varies, to the ends of its type where the store is to keep those.

mod alert;
mod answer;
mod intervention;
mod objective;
mod place;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::model::{
    AgentId, Alarm, Attempt, AttemptState, Backoff, BootInstant, Calendar, CalendarUse, CatchUp,
    Constraint, Container, ContainerType, Contribution, DstPolicy, Duration, EnvVar, Exit,
    ExternalVolume, Fetch, Fitness, FoldPolicy, GapPolicy, Incarnation, Job, JobName, JobRecord,
    JobStats, Join, NameRule, Network, NetworkInfo, NetworkProtocol, OnUnknown, Operator, Outcome,
    Overlap, ParentTerms, Period, Placed, PortMapping, Priority, Progress, Property, Resources,
    RetryEnds, RetryTerms, Round, Run, RunId, RunState, Sandbox, Scalar, ScheduleTerms, Signal,
    Source, StopReason, Stretch, TaskId, Timestamp, TriggerRule, UnknownThen, Verdict, Volume,
    VolumeMode, When,
};

pub(super) use alert::{alert, failing, incident, notification, silence};
pub(super) use answer::answered;
use intervention::shadow;
pub(super) use intervention::{backfill, interventions, pause};
use intervention::{intervention, trigger};
use objective::care;

pub(super) fn job_record() -> impl Strategy<Value = JobRecord> {
    (number(), number(), instant(), job(), stats(), progress(), interventions()).prop_map(
        |(incarnation, revision, accepted_at, job, stats, progress, interventions)| JobRecord {
            incarnation: Incarnation(incarnation),
            revision,
            accepted_at,
            job,
            stats,
            progress,
            interventions,
        },
    )
}

pub(super) fn run() -> impl Strategy<Value = Run> {
    (
        run_id(),
        number(),
        name(),
        trigger(),
        any::<i64>(),
        of(text()),
        vec(run_id(), 0..3),
        instant(),
        run_state(),
        vec(attempt(), 0..3),
        (of(instant()), instant()),
        (vec(env_var(), 0..3), of(intervention()), any::<bool>(), of(intervention())),
    )
        .prop_map(
            |(
                id,
                sequence,
                job,
                trigger,
                task_millis,
                arguments,
                causes,
                created_at,
                state,
                attempts,
                (start_deadline, wanted_at),
                (environment, by, retries_down, stopped_by),
            )| Run {
                id,
                sequence,
                job,
                trigger,
                task_millis,
                arguments,
                environment,
                by: by.map(Box::new),
                retries_down,
                stopped_by: stopped_by.map(Box::new),
                causes,
                created_at,
                start_deadline,
                wanted_at,
                state,
                attempts,
            },
        )
}

pub(super) fn signal() -> impl Strategy<Value = Signal> {
    let outcome =
        proptest::sample::select(vec![Outcome::Succeeded, Outcome::Failed, Outcome::Killed]);
    let ends = (instant(), instant(), any::<bool>());
    (number(), any::<u64>(), run_id(), outcome, ends, of(any::<u64>())).prop_map(
        |(sequence, parent, run, outcome, (due_at, at, retries_down), told_through)| Signal {
            sequence,
            parent: Incarnation(parent),
            run,
            outcome,
            due_at,
            at,
            retries_down,
            told_through: told_through.map(Incarnation),
        },
    )
}

pub(super) fn stretch() -> impl Strategy<Value = Stretch> {
    (number(), number(), name(), verdict(), text(), instant(), instant(), number(), instant())
        .prop_map(
            |(
                sequence,
                incarnation,
                job,
                verdict,
                reason,
                first_due_at,
                last_due_at,
                count,
                decided_at,
            )| Stretch {
                sequence,
                incarnation: Incarnation(incarnation),
                job,
                verdict,
                reason,
                first_due_at,
                last_due_at,
                count,
                decided_at,
            },
        )
}

pub(super) fn stats() -> impl Strategy<Value = JobStats> {
    (any::<u64>(), any::<u64>(), any::<u64>(), text(), text()).prop_map(
        |(success_count, error_count, errors_since_last_success, last_success, last_error)| {
            JobStats {
                success_count,
                error_count,
                errors_since_last_success,
                last_success,
                last_error,
            }
        },
    )
}

pub(super) fn progress() -> impl Strategy<Value = Progress> {
    (instant(), of(stretch()), of(text()), vec(round(), 0..3)).prop_map(
        |(decided_through, stretch, boot_id, rounds)| Progress {
            decided_through,
            stretch,
            boot_id,
            rounds,
        },
    )
}

fn round() -> impl Strategy<Value = Round> {
    let counts = proptest::array::uniform3(any::<u64>());
    let source = proptest::sample::select(vec![Source::New, Source::Retried, Source::Borrowed]);
    let contribution = (any::<u64>(), counts, run_id(), instant(), instant(), source).prop_map(
        |(parent, [successes, failures, kills], run, due_at, at, source)| Contribution {
            parent: Incarnation(parent),
            successes,
            failures,
            kills,
            run,
            due_at,
            at,
            source,
        },
    );
    (of(instant()), any::<bool>(), vec(contribution, 0..3))
        .prop_map(|(due_at, is_triggered, parents)| Round { due_at, is_triggered, parents })
}

/// As far as SQLite's integers go.
fn number() -> impl Strategy<Value = u64> {
    0..=i64::MAX.unsigned_abs()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), any::<String>()]
}

pub(super) fn name() -> impl Strategy<Value = JobName> {
    "[A-Za-z0-9_#-][A-Za-z0-9_.# -]{0,20}[A-Za-z0-9_.#-]"
        .prop_map(|text| JobName::parse(&text, NameRule::Blanks).unwrap())
}

pub(super) fn instant() -> impl Strategy<Value = Timestamp> {
    let seconds = Timestamp::MIN.as_second() + 1..Timestamp::MAX.as_second();
    prop_oneof![
        Just(Timestamp::MIN),
        Just(Timestamp::MAX),
        Just(Timestamp::UNIX_EPOCH),
        (seconds, 0..1_000_000_000_i32).prop_map(|(s, ns)| Timestamp::new(s, ns).unwrap()),
    ]
}

fn span() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::MIN),
        Just(Duration::MAX),
        any::<i64>().prop_map(Duration::from_nanos),
    ]
}

fn verdict() -> impl Strategy<Value = Verdict> {
    proptest::sample::select(Verdict::ALL.to_vec())
}

fn scalar() -> impl Strategy<Value = Scalar> {
    any::<u64>().prop_map(Scalar::from_thousandths)
}

fn job() -> impl Strategy<Value = Job> {
    let texts = (text(), text(), text(), text(), text(), text(), text(), text());
    let flags = proptest::array::uniform5(any::<bool>());
    let lists = (
        vec(fetch(), 0..3),
        vec(text(), 0..3),
        vec(env_var(), 0..3),
        vec(text(), 0..3),
        vec(constraint(), 0..3),
    );
    let rest = (
        when(),
        period(),
        any::<i64>(),
        (scalar(), scalar(), scalar(), any::<u32>()),
        any::<u64>(),
        of(container()),
        overlap(),
        catch_up(),
    );
    let order = (priority(), proptest::sample::select(&Fitness::ALL));
    let policy = (retry(), order, of(period()), of(any::<u32>()), on_unknown(), (shadow(), care()));
    (name(), texts, flags, lists, rest, policy).prop_map(
        |(name, texts, flags, lists, rest, policy)| {
            let (
                command,
                executor,
                executor_flags,
                task_info_data,
                owner,
                owner_name,
                description,
                run_as_user,
            ) = texts;
            let [shell, is_async, disabled, soft_error, data_processing] = flags;
            let (fetch, uris, environment, arguments, constraints) = lists;
            let (
                when,
                epsilon,
                retries,
                resources,
                max_completion_secs,
                container,
                overlap,
                catch_up,
            ) = rest;
            let (retry, order, kill_grace, disable_after_failures, on_unknown, (shadow, care)) =
                policy;
            let (objectives, runbook, labels) = care;
            Job {
                name,
                command,
                shell,
                when,
                epsilon,
                executor,
                executor_flags,
                task_info_data,
                retries,
                retry,
                owner,
                owner_name,
                description,
                is_async,
                resources: Resources {
                    cpus: resources.0,
                    mem: resources.1,
                    disk: resources.2,
                    ports: resources.3,
                },
                disabled,
                soft_error,
                data_processing,
                fetch,
                uris,
                environment,
                arguments,
                priority: order.0,
                run_as_user,
                max_completion_secs,
                kill_grace,
                disable_after_failures,
                on_unknown,
                container,
                constraints,
                placement: order.1,
                overlap,
                catch_up,
                shadow,
                objectives,
                runbook,
                labels,
            }
        },
    )
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![terms().prop_map(When::Schedule), parents().prop_map(When::Parents)]
}

fn parents() -> impl Strategy<Value = ParentTerms> {
    let rule = proptest::sample::select(&TriggerRule::ALL);
    let join = prop_oneof![Just(Join::Round), Just(Join::Due)];
    (vec(name(), 0..3), rule, join).prop_map(|(names, rule, join)| ParentTerms {
        names,
        rule,
        join,
    })
}

fn retry() -> impl Strategy<Value = RetryTerms> {
    let codes = || vec(any::<i32>(), 0..3);
    let ends = prop_oneof![
        Just(RetryEnds::All),
        codes().prop_map(RetryEnds::Codes),
        codes().prop_map(RetryEnds::NotCodes),
    ];
    let backoff = (scalar(), of(period()), scalar()).prop_map(|(factor, max, jitter)| Backoff {
        factor,
        max,
        jitter,
    });
    prop_oneof![
        Just(RetryTerms::default()),
        (of(period()), of(backoff), ends, of(period()))
            .prop_map(|(delay, backoff, ends, until)| RetryTerms { delay, backoff, ends, until }),
    ]
}

fn priority() -> impl Strategy<Value = Priority> {
    prop_oneof![Just(Priority::Low), Just(Priority::Normal), Just(Priority::High)]
}

fn on_unknown() -> impl Strategy<Value = OnUnknown> {
    let then = prop_oneof![Just(UnknownThen::Lost), Just(UnknownThen::Relaunch)];
    prop_oneof![
        Just(OnUnknown::default()),
        (period(), then).prop_map(|(wait, then)| OnUnknown { wait, then }),
    ]
}

fn catch_up() -> impl Strategy<Value = CatchUp> {
    prop_oneof![
        Just(CatchUp::None),
        Just(CatchUp::Latest),
        any::<u32>().prop_map(|max| CatchUp::All { max }),
    ]
}

fn terms() -> impl Strategy<Value = ScheduleTerms> {
    let gap = of(proptest::sample::select(&GapPolicy::ALL));
    let fold = of(proptest::sample::select(&FoldPolicy::ALL));
    let dst = (gap, fold).prop_map(|(gap, fold)| DstPolicy { gap, fold });
    let bounds = (text(), text());
    (text(), text(), dst, of(period()), bounds, vec(calendar(), 0..3), text()).prop_map(
        |(text, zone, dst, jitter, (not_before, not_after), calendars, spread_by)| ScheduleTerms {
            text,
            zone,
            dst,
            jitter,
            not_before,
            not_after,
            calendars,
            spread_by,
        },
    )
}

fn period() -> impl Strategy<Value = Period> {
    (text(), span()).prop_map(|(text, span)| Period { text, span })
}

fn calendar() -> impl Strategy<Value = Calendar> {
    let texts = || vec(text(), 0..3);
    (text(), proptest::sample::select(&CalendarUse::ALL), texts(), texts(), texts()).prop_map(
        |(name, usage, dates, weekdays, windows)| Calendar {
            name,
            usage,
            dates,
            weekdays,
            windows,
        },
    )
}

fn fetch() -> impl Strategy<Value = Fetch> {
    (text(), any::<bool>(), any::<bool>(), any::<bool>(), text()).prop_map(
        |(uri, executable, cache, extract, output_file)| Fetch {
            uri,
            executable,
            cache,
            extract,
            output_file,
        },
    )
}

fn env_var() -> impl Strategy<Value = EnvVar> {
    (text(), text(), any::<bool>()).prop_map(|(name, value, secret)| EnvVar { name, value, secret })
}

fn constraint() -> impl Strategy<Value = Constraint> {
    (text(), proptest::sample::select(&Operator::ALL), text())
        .prop_map(|(attribute, operator, value)| Constraint { attribute, operator, value })
}

fn overlap() -> impl Strategy<Value = Overlap> {
    prop_oneof![
        Just(Overlap::Skip),
        any::<u32>().prop_map(|max| Overlap::Queue { max }),
        Just(Overlap::Replace),
        of(any::<u32>()).prop_map(|max| Overlap::Allow { max }),
    ]
}

fn container() -> impl Strategy<Value = Container> {
    (
        prop_oneof![Just(ContainerType::Docker), Just(ContainerType::Mesos)],
        text(),
        prop_oneof![Just(Network::Bridge), Just(Network::Host), Just(Network::User)],
        text(),
        vec(network_info(), 0..2),
        vec(volume(), 0..2),
        any::<bool>(),
        vec(property(), 0..2),
    )
        .prop_map(
            |(
                kind,
                image,
                network,
                network_name,
                network_infos,
                volumes,
                force_pull_image,
                parameters,
            )| Container {
                kind,
                image,
                network,
                network_name,
                network_infos,
                volumes,
                force_pull_image,
                parameters,
            },
        )
}

fn network_info() -> impl Strategy<Value = NetworkInfo> {
    let protocol = prop_oneof![Just(NetworkProtocol::Ipv4), Just(NetworkProtocol::Ipv6)];
    let port_mapping =
        (any::<u32>(), any::<u32>(), text()).prop_map(|(host_port, container_port, protocol)| {
            PortMapping { host_port, container_port, protocol }
        });
    (text(), of(protocol), vec(property(), 0..2), vec(port_mapping, 0..2)).prop_map(
        |(name, protocol, labels, port_mappings)| NetworkInfo {
            name,
            protocol,
            labels,
            port_mappings,
        },
    )
}

fn volume() -> impl Strategy<Value = Volume> {
    let mode = prop_oneof![Just(VolumeMode::ReadWrite), Just(VolumeMode::ReadOnly)];
    let external = (text(), text(), vec(property(), 0..2))
        .prop_map(|(name, provider, options)| ExternalVolume { name, provider, options });
    (text(), text(), of(mode), of(external)).prop_map(
        |(host_path, container_path, mode, external)| Volume {
            host_path,
            container_path,
            mode,
            external,
        },
    )
}

fn property() -> impl Strategy<Value = Property> {
    (text(), text()).prop_map(|(key, value)| Property { key, value })
}

fn run_id() -> impl Strategy<Value = RunId> {
    (number(), any::<i64>(), instant(), 0..5).prop_map(|(incarnation, millis, due_at, kind)| {
        let incarnation = Incarnation(incarnation);
        match kind {
            0 => RunId::scheduled(incarnation, due_at),
            1 => RunId::manual(incarnation, millis),
            2 => RunId::retried(incarnation, millis),
            3 => RunId::backfill(incarnation, millis),
            _ => RunId::parents(incarnation, millis),
        }
    })
}

pub(super) fn run_state() -> impl Strategy<Value = RunState> {
    prop_oneof![
        Just(RunState::Queued),
        of(instant()).prop_map(|deadline| RunState::Pending { deadline }),
        Just(RunState::Active),
        alarm().prop_map(|until| RunState::Waiting { until }),
        of(alarm()).prop_map(|until| RunState::Reporting { until }),
        (verdict(), instant(), text()).prop_map(|(verdict, at, reason)| RunState::Ended {
            verdict,
            at,
            reason
        }),
    ]
}

fn alarm() -> impl Strategy<Value = Alarm> {
    (instant(), of(span().prop_map(BootInstant))).prop_map(|(at, boot)| Alarm { at, boot })
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let amount = || (0..1_000_000_u64).prop_map(Scalar::from_thousandths);
    let holds = (amount(), amount(), amount(), any::<u32>());
    let holds = holds.prop_map(|(cpus, mem, disk, ports)| Resources { cpus, mem, disk, ports });
    let said = (of(any::<i64>()), of(any::<u64>()));
    let place = (text(), of(place::placed()), any::<bool>());
    (any::<u32>(), text(), place, instant(), holds, said, attempt_state()).prop_map(
        |(index, task_id, place, launched_at, holds, (reported, elements), state)| Attempt {
            index,
            task_id: TaskId::from_text(task_id),
            agent: AgentId::new(place.0),
            placed: place.1.map(Box::new),
            is_staged: place.2,
            launched_at,
            holds,
            reported,
            elements,
            state,
        },
    )
}

fn attempt_state() -> impl Strategy<Value = AttemptState> {
    let reasons = vec![
        StopReason::Requested,
        StopReason::TimedOut,
        StopReason::JobDeleted,
        StopReason::Superseded,
    ];
    prop_oneof![
        Just(AttemptState::Launching),
        (instant(), of(span().prop_map(BootInstant)))
            .prop_map(|(started_at, stop_at)| AttemptState::Running { started_at, stop_at }),
        (of(instant()), proptest::sample::select(reasons.clone()))
            .prop_map(|(started_at, why)| AttemptState::Stopping { started_at, why }),
        (of(instant()), of(proptest::sample::select(reasons)), alarm(), text()).prop_map(
            |(started_at, why, until, reason)| AttemptState::Unknown {
                started_at,
                why,
                until,
                reason
            }
        ),
        (of(instant()), instant(), of(exit()), text()).prop_map(
            |(started_at, at, exit, message)| AttemptState::Ended { started_at, at, exit, message }
        ),
    ]
}

fn exit() -> impl Strategy<Value = Exit> {
    prop_oneof![
        any::<i32>().prop_map(Exit::Code),
        any::<i32>().prop_map(Exit::Signal),
        Just(Exit::Killed),
        text().prop_map(|reason| Exit::CouldNotStart { reason }),
        text().prop_map(|reason| Exit::Failed { reason }),
    ]
}
