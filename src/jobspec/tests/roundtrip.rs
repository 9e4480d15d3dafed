//! Print, read and resolve give the same job, whatever is in it; and nothing makes the readers panic.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

use super::{parse_period, record};
use crate::jobspec::{Derived, parse_json, print, read_as, read_file};
use crate::model::limits::PORTS_MAX;
use crate::model::{
    Backoff, Calendar, CalendarUse, CatchUp, Constraint, Container, ContainerType, Deadline,
    Defaults, Dialect, DstPolicy, Duration, EnvVar, ExternalVolume, Fetch, Fitness, FoldPolicy,
    GapPolicy, Job, JobName, Join, Label, NameRule, Network, NetworkInfo, NetworkProtocol,
    Objectives, OnUnknown, Operator, Overlap, ParentTerms, Period, PortMapping, Priority, Property,
    Resources, RetryEnds, RetryTerms, Scalar, ScheduleTerms, Shadow, Timestamp, TriggerRule,
    UnknownThen, Volume, VolumeMode, When,
};

/// Any text that may be kept.
fn free() -> impl Strategy<Value = String> {
    any::<String>()
}

/// Any text that may be handed to a process.
fn process() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| text.replace('\0', ""))
}

/// Any text that may stand in a line.
fn line() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| text.chars().filter(|c| !c.is_control()).collect())
}

fn name() -> impl Strategy<Value = JobName> {
    "[A-Za-z0-9_.-][A-Za-z0-9_.# -]{0,20}[A-Za-z0-9_#-]"
        .prop_map(|text| JobName::parse(&text, NameRule::Blanks).unwrap())
}

fn amount() -> impl Strategy<Value = Scalar> {
    (1..=Scalar::MAX.thousandths()).prop_map(Scalar::from_thousandths)
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![terms().prop_map(When::Schedule), parents().prop_map(When::Parents)]
}

fn parents() -> impl Strategy<Value = ParentTerms> {
    let rule = proptest::sample::select(&TriggerRule::ALL);
    let join = prop_oneof![Just(Join::Round), Just(Join::Due)];
    (vec(name(), 1..4), rule, join).prop_map(|(mut names, rule, join)| {
        names.sort();
        names.dedup();
        ParentTerms { names, rule, join }
    })
}

fn terms() -> impl Strategy<Value = ScheduleTerms> {
    let gap = option::of(proptest::sample::select(&GapPolicy::ALL));
    let fold = option::of(proptest::sample::select(&FoldPolicy::ALL));
    let dst = (gap, fold).prop_map(|(gap, fold)| DstPolicy { gap, fold });
    let jitter = option::of((0..=10_000_i64).prop_map(minutes));
    (line(), line(), dst, jitter, (line(), line()), calendars(), line()).prop_map(
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

/// With different names, and each with something in it.
fn calendars() -> impl Strategy<Value = Vec<Calendar>> {
    let usage = proptest::sample::select(&CalendarUse::ALL);
    let item = || "[ -~é/:-]{0,40}";
    let lists = (vec(item(), 0..3), vec(item(), 0..3), vec(item(), 1..3), 0..3_usize);
    vec(("[ -~é]{0,20}", usage, lists), 0..4).prop_map(|calendars| {
        let calendar = |(index, (name, usage, lists)): (usize, (String, CalendarUse, _))| {
            let (one, two, some, turn) = lists;
            let mut lists = [one, two, some];
            lists.rotate_left(turn);
            let [dates, weekdays, windows] = lists;
            Calendar { name: format!("{name}{index}"), usage, dates, weekdays, windows }
        };
        calendars.into_iter().enumerate().map(calendar).collect()
    })
}

fn minutes(count: i64) -> Period {
    Period { text: format!("PT{count}M"), span: Duration::from_mins(count) }
}

fn property() -> impl Strategy<Value = Property> {
    (process(), process()).prop_map(|(key, value)| Property { key, value })
}

fn network_info() -> impl Strategy<Value = NetworkInfo> {
    let protocol = prop_oneof![Just(NetworkProtocol::Ipv4), Just(NetworkProtocol::Ipv6)];
    let mapping = (0..65_536_u32, 0..65_536_u32, process()).prop_map(
        |(host_port, container_port, protocol)| PortMapping { host_port, container_port, protocol },
    );
    (process(), option::of(protocol), vec(property(), 0..3), vec(mapping, 0..3)).prop_map(
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
    let external = (process(), process(), vec(property(), 0..3))
        .prop_map(|(name, provider, options)| ExternalVolume { name, provider, options });
    (process(), process(), option::of(mode), option::of(external)).prop_map(
        |(host_path, container_path, mode, external)| Volume {
            host_path,
            container_path,
            mode,
            external,
        },
    )
}

fn container() -> impl Strategy<Value = Container> {
    (
        prop_oneof![Just(ContainerType::Docker), Just(ContainerType::Mesos)],
        process().prop_map(|image| format!("{image}:1")),
        prop_oneof![Just(Network::Bridge), Just(Network::Host), Just(Network::User)],
        process(),
        vec(network_info(), 0..3),
        vec(volume(), 0..3),
        any::<bool>(),
        vec(property(), 0..3),
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

fn fetch() -> impl Strategy<Value = Fetch> {
    (line(), any::<[bool; 3]>(), line()).prop_map(
        |(uri, [executable, cache, extract], output_file)| Fetch {
            uri: format!("/{uri}"),
            executable,
            cache,
            extract,
            output_file,
        },
    )
}

/// Downloads of one kind: nobody can ask for both.
fn downloads() -> impl Strategy<Value = (Vec<Fetch>, Vec<String>)> {
    let uris = vec(line().prop_map(|uri| format!("/{uri}")), 0..3);
    prop_oneof![
        vec(fetch(), 0..3).prop_map(|fetch| (fetch, Vec::new())),
        uris.prop_map(|uris| (Vec::new(), uris)),
    ]
}

/// With different names, because of two secrets of one name only the last is kept.
fn environment() -> impl Strategy<Value = Vec<EnvVar>> {
    let item = (process(), process(), any::<bool>());
    vec(item, 0..4).prop_map(|items| {
        let variable = |(index, (name, value, secret)): (usize, (String, String, bool))| EnvVar {
            name: format!("{}{index}", name.replace('=', "")),
            value,
            secret,
        };
        items.into_iter().enumerate().map(variable).collect()
    })
}

fn constraint() -> impl Strategy<Value = Constraint> {
    let (like, unlike) = (Operator::Like, Operator::Unlike);
    prop_oneof![
        (free(), Just(Operator::Equals), free()),
        (
            free(),
            prop_oneof![Just(like), Just(unlike)],
            free().prop_map(|text| regex::escape(&text))
        ),
        (free(), Just(Operator::Unique), Just(String::new())),
        (free(), Just(Operator::Cluster), free()),
    ]
    .prop_map(|(attribute, operator, value)| Constraint { attribute, operator, value })
}

fn overlap() -> impl Strategy<Value = Overlap> {
    prop_oneof![
        Just(Overlap::Skip),
        Just(Overlap::Replace),
        option::of(1..=10_000_u32).prop_map(|max| Overlap::Allow { max }),
        (1..=3_u32).prop_map(|max| Overlap::Queue { max }),
        (1..=1_000_u32).prop_map(|max| Overlap::Queue { max }),
    ]
}

fn shadow() -> impl Strategy<Value = Shadow> {
    let instant = (0..4_000_000_000_i64).prop_map(|second| Timestamp::from_second(second).unwrap());
    prop_oneof![4 => Just(Shadow::Off), 1 => Just(Shadow::On), 1 => instant.prop_map(Shadow::Until)]
}

fn catch_up() -> impl Strategy<Value = CatchUp> {
    prop_oneof![
        Just(CatchUp::None),
        Just(CatchUp::Latest),
        prop_oneof![1..=1_000_u32, Just(100)].prop_map(|max| CatchUp::All { max }),
    ]
}

fn span() -> impl Strategy<Value = Period> {
    (0..=10_000_i64).prop_map(minutes)
}

fn retry() -> impl Strategy<Value = RetryTerms> {
    let codes = || {
        proptest::collection::btree_set(1..=255_i32, 1..5).prop_map(|set| set.into_iter().collect())
    };
    let ends = prop_oneof![
        Just(RetryEnds::All),
        codes().prop_map(RetryEnds::Codes),
        codes().prop_map(RetryEnds::NotCodes),
    ];
    let factor = prop_oneof![1_000..=1_000_000_u64, (1..=1_000_u64).prop_map(|n| n * 1_000)];
    let max = option::of((1..=10_000_i64).prop_map(minutes));
    let backoff = (factor, max, 0..=1_000_u64).prop_map(|(factor, max, jitter)| Backoff {
        factor: Scalar::from_thousandths(factor),
        max,
        jitter: Scalar::from_thousandths(jitter),
    });
    (option::of(span()), option::of(backoff), ends, option::of(span()))
        .prop_map(|(delay, backoff, ends, until)| RetryTerms { delay, backoff, ends, until })
}

fn priority() -> impl Strategy<Value = Priority> {
    prop_oneof![Just(Priority::Low), Just(Priority::Normal), Just(Priority::High)]
}

fn on_unknown() -> impl Strategy<Value = OnUnknown> {
    let then = prop_oneof![Just(UnknownThen::Lost), Just(UnknownThen::Relaunch)];
    prop_oneof![
        Just(OnUnknown::default()),
        (span(), then).prop_map(|(wait, then)| OnUnknown { wait, then }),
    ]
}

fn care() -> impl Strategy<Value = (Objectives, String, Vec<Label>)> {
    let deadline = || {
        let time = select(&["00:00", "06:30", "23:59:59"][..]);
        let time = time.prop_map(|text| Deadline::time_of_day(text).unwrap());
        prop_oneof![span().prop_map(Deadline::After), time]
    };
    let objectives =
        (option::of(deadline()), option::of(deadline()), option::of(span()), option::of(span()));
    let objectives =
        objectives.prop_map(|(start_by, finish_by, max_lateness, expected_duration)| Objectives {
            start_by,
            finish_by,
            max_lateness,
            expected_duration,
        });
    let labels = proptest::collection::btree_map("[a-z]{1,8}", "[^\\p{C}]{0,20}", 0..4);
    let labels = labels
        .prop_map(|labels| labels.into_iter().map(|(name, value)| Label { name, value }).collect());
    (objectives, "[^\\p{C}]{0,40}", labels)
}

/// Any job that may be stored.
pub(crate) fn job() -> impl Strategy<Value = Job> {
    let texts = (process(), process(), free(), free(), line(), free(), free(), line());
    let plain = (any::<[bool; 5]>(), i64::MIN..=1000, 0..=9_223_372_036_u64, 0..=10_000_i64);
    let lists = (downloads(), environment(), vec(process(), 0..4), vec(constraint(), 0..3));
    let failures = option::of(0..=1_000_000_u32);
    let attempts = (retry(), priority(), option::of(span()), failures, on_unknown());
    let policy = (overlap(), catch_up(), (shadow(), care()), attempts);
    let amounts = (amount(), amount(), amount(), 0..=PORTS_MAX, select(&Fitness::ALL));
    (name(), when(), texts, plain, lists, option::of(container()), policy, amounts).prop_map(
        |(
            name,
            when,
            texts,
            plain,
            lists,
            container,
            policy,
            (cpus, mem, disk, ports, placement),
        )| {
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
            let (flags, retries, max_completion_secs, epsilon) = plain;
            let [shell, is_async, disabled, soft_error, data_processing] = flags;
            let (overlap, catch_up, (shadow, care), attempts) = policy;
            let (objectives, runbook, labels) = care;
            let (retry, priority, kill_grace, disable_after_failures, on_unknown) = attempts;
            let ((fetch, uris), environment, arguments, constraints) = lists;
            Job {
                name,
                command,
                shell,
                when,
                epsilon: minutes(epsilon),
                executor,
                executor_flags,
                task_info_data,
                retries,
                retry,
                owner,
                owner_name,
                description,
                is_async,
                resources: Resources { cpus, mem, disk, ports },
                disabled,
                soft_error,
                data_processing,
                fetch,
                uris,
                environment,
                arguments,
                priority,
                run_as_user,
                max_completion_secs,
                kill_grace,
                disable_after_failures,
                on_unknown,
                container,
                constraints,
                placement,
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

pub(super) fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::V0), Just(Dialect::V1)]
}

/// What a client that reads the job through `dialect` and sends it back unchanged makes of it.
fn sent_back(job: &Job, dialect: Dialect, existing: Option<&Job>) -> Job {
    let printed = print(&record(job.clone()), dialect, Derived::default());
    // Through the text, as on the wire.
    let body = parse_json(Value::Object(printed).to_string().as_bytes()).unwrap();
    let reading = read_as(&body, dialect, NameRule::Blanks, &parse_period)
        .unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!((&reading.unknown[..], &reading.warnings[..]), (&[][..], &[][..]));
    reading.draft.resolve(existing, dialect, &Defaults::default())
}

/// `job` as far as `dialect` shows it.
fn seen_by(dialect: Dialect, mut job: Job) -> Job {
    let defaults = Defaults::default();
    for variable in &mut job.environment {
        variable.secret = false;
    }
    match dialect {
        // It prints `timeout`.
        Dialect::V0 => {}
        Dialect::V1 => {
            job.is_async = false;
            job.epsilon = Period { text: "PT60S".to_owned(), span: defaults.epsilon };
        }
    }
    job
}

/// JSON with the names of real fields, so that values of every shape reach every reader.
fn wild_body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        prop_oneof![Just("HOST"), Just("1"), Just("true"), Just("LIKE"), Just("x"), Just("PT1M")]
            .prop_map(Value::from),
    ];
    let known = crate::jobspec::known::JOB;
    let nested = [
        crate::jobspec::known::CONTAINER,
        crate::jobspec::known::VOLUME,
        crate::jobspec::known::DST,
        crate::jobspec::known::CALENDAR,
        crate::jobspec::known::OVERLAP,
        crate::jobspec::known::CATCH_UP,
        crate::jobspec::known::RETRY_BACKOFF,
        crate::jobspec::known::ON_UNKNOWN,
    ]
    .concat();
    let key = prop_oneof![
        proptest::sample::select(known).prop_map(str::to_owned),
        proptest::sample::select(nested).prop_map(str::to_owned),
        prop_oneof![Just("uri"), Just("value"), Just("key")].prop_map(str::to_owned),
        ".{0,4}",
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        let entries = vec((key.clone(), inner.clone()), 0..12);
        prop_oneof![
            vec(inner, 0..6).prop_map(Value::Array),
            entries.prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Text made of what YAML is made of.
fn wild_yaml() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "name: a",
            "command: x",
            "\n",
            "\n  ",
            "\n- ",
            "- ",
            ": ",
            "? ",
            "{",
            "}",
            "[",
            "]",
            ", ",
            "&a ",
            "*a",
            "<<: ",
            "|\n",
            ">-\n",
            "'",
            "\"",
            "\\",
            "# ",
            "---\n",
            "...\n",
            "!!str ",
            "!x ",
            "%TAG ! x\n",
            "\t",
            "\u{feff}",
            "~",
            "fetch:",
            "é",
            "\r",
            "\0",
            "@",
            "`",
        ])
        .prop_map(str::to_owned),
        ".{0,4}",
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_job_sent_back_is_the_same_job(job in job(), dialect in dialect()) {
        prop_assert_eq!(sent_back(&job, dialect, Some(&job)), job);
    }

    #[test]
    fn a_job_sent_elsewhere_is_the_same_as_far_as_the_door_shows_it(
        job in job(),
        dialect in dialect(),
    ) {
        let job = seen_by(dialect, job);
        prop_assert_eq!(sent_back(&job, dialect, None), job);
    }

    #[test]
    fn a_printed_job_is_a_job_file(job in job()) {
        let printed = Value::Object(print(&record(job), Dialect::V0, Derived::default()));
        let read = read_as(&printed, Dialect::V0, NameRule::Blanks, &parse_period).unwrap();
        let file = read_file("a.yaml", &printed.to_string(), &parse_period);
        prop_assert_eq!(file.problems, []);
        prop_assert_eq!(&file.jobs[0].draft, &read.draft);
    }

    #[test]
    fn no_body_makes_the_reader_panic(body in wild_body(), dialect in dialect()) {
        if let Err(problems) = read_as(&body, dialect, NameRule::Blanks, &parse_period) {
            prop_assert!(!problems.is_empty());
        }
        let text = body.to_string();
        if body.is_object() {
            let again: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(parse_json(text.as_bytes()), Ok(again));
        }
        // JSON is YAML.
        let _ = read_file("a.yaml", &text, &parse_period);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        bytes in vec(any::<u8>(), 0..64),
        text in "[\\[\\]{}\",:0-9eE.+a-z-]{0,40}",
    ) {
        let _ = parse_json(&bytes);
        let _ = parse_json(text.as_bytes());
    }

    #[test]
    fn no_yaml_makes_the_reader_panic(text in wild_yaml()) {
        let reading = read_file("a.yaml", &text, &parse_period);
        let lines = text.split(['\n', '\r']).count() + 1;
        for problem in reading.problems {
            prop_assert!((1..=lines).contains(&problem.line), "{problem}");
        }
    }
}
