//! Offers as they are understood, resources as they are picked, tasks as they are said.

use expect_test::expect;
use serde_json::{Value, json};

use super::*;
use crate::mesos::wire;
use crate::model::{
    AgentId, Attribute, AttributeValue, ClusterTerms, Command, Container, ContainerType, Duration,
    ExternalVolume, Fetch, Incarnation, JobName, Launch, NameRule, Network, NetworkInfo,
    NetworkProtocol, OfferId, PortMapping, Property, Resources, RunId, Scalar, TaskId, Term,
    Timestamp, Volume, VolumeMode,
};

fn roles(roles: &[&str]) -> Vec<String> {
    roles.iter().map(|role| (*role).to_owned()).collect()
}

fn resources(of: &Value) -> Vec<wire::Resource> {
    serde_json::from_value(of.clone()).unwrap()
}

fn wanted(cpus: u64, mem: u64, ports: u32) -> Resources {
    Resources {
        cpus: Scalar::from_thousandths(cpus),
        mem: Scalar::from_thousandths(mem),
        disk: Scalar::ZERO,
        ports,
    }
}

#[test]
fn an_offer_says_what_its_agent_is() {
    let given = json!({
        "id": {"value": "O1"}, "agent_id": {"value": "S1"}, "hostname": "agent1.local",
        "url": {"scheme": "http", "address": {"hostname": "agent1.local", "ip": "10.0.0.7", "port": 5051},
            "path": "/slave(1)"},
        "resources": [
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1.5}},
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.25}, "role": "batch"},
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": 8.0}, "role": "others"},
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": 8.0}, "revocable": {}},
            {"name": "mem", "type": "SCALAR", "scalar": {"value": 512.0},
                "reservations": [{"type": "STATIC", "role": "batch"}, {"type": "DYNAMIC", "role": "batch/night"}]},
            {"name": "mem", "type": "SCALAR", "scalar": {"value": -1.0}},
            {"name": "disk", "type": "SCALAR", "scalar": {"value": 100.0}},
            {"name": "disk", "type": "SCALAR", "scalar": {"value": 5000.0}, "disk": {"source": {"type": "MOUNT"}}},
            {"name": "disk", "type": "SCALAR", "scalar": {"value": 5000.0}, "provider_id": {"value": "p"}},
            {"name": "disk", "type": "SCALAR", "scalar": {"value": 5000.0}, "shared": {}},
            {"name": "gpus", "type": "SCALAR", "scalar": {"value": 1.0}},
            {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 31000, "end": 31004}, {"begin": 31003,
                "end": 31009}, {"begin": 9, "end": 8}]}},
        ],
        "attributes": [
            {"name": "rack", "type": "TEXT", "text": {"value": "r1"}},
            {"name": "zone", "type": "SCALAR", "scalar": {"value": 1.0}},
            {"name": "slots", "type": "RANGES", "ranges": {"range": [{"begin": 1, "end": 4}]}},
            {"name": "disks", "type": "SET", "set": {"item": ["ssd", "hdd"]}},
            {"name": "odd", "type": "TEXT"},
            {"name": "new", "type": "DATE"},
        ],
        "unavailability": {"start": {"nanoseconds": 1_800_000_000_000_000_000_i64}},
    });
    let given: wire::Offer = serde_json::from_value(given).unwrap();
    let offer = offer(&given, &roles(&["batch", "batch/night"]), false);
    assert_eq!(
        offer.resources,
        Resources { disk: Scalar::from_thousandths(100_000), ..wanted(1_750, 512_000, 10) }
    );
    let attribute = |name: &str, value| Attribute { name: name.to_owned(), value };
    assert_eq!(
        offer.attributes,
        [
            Attribute::text("rack", "r1"),
            attribute("zone", AttributeValue::Scalar(Scalar::from_thousandths(1_000))),
            attribute("slots", AttributeValue::Ranges),
            attribute("disks", AttributeValue::Set(vec!["ssd".to_owned(), "hdd".to_owned()])),
        ]
    );
    assert_eq!(offer.unavailable_from, Some(Timestamp::from_second(1_800_000_000).unwrap()));
    assert_eq!(offer.files_at.as_deref(), Some("http://10.0.0.7:5051"));
    assert_eq!((offer.agent.as_str(), offer.hostname.as_str()), ("S1", "agent1.local"));
}

#[test]
fn files_are_at_the_name_that_a_certificate_is_for() {
    let at_of = |scheme: &str, address: Value, has_tls: bool| {
        let mut offer = wire::Offer::default();
        let address = serde_json::from_value(address).unwrap();
        offer.url = Some(wire::Url { scheme: scheme.to_owned(), address, path: None });
        super::offer(&offer, &[], has_tls).files_at
    };
    let at = |scheme: &str, address: Value| at_of(scheme, address, false);
    let both = json!({"hostname": "a.example", "ip": "::1", "port": 5051});
    assert_eq!(at("https", both.clone()).as_deref(), Some("https://a.example:5051"));
    assert_eq!(at("http", both.clone()).as_deref(), Some("http://[::1]:5051"));
    // A master says so of agents with TLS, too.
    assert_eq!(at_of("http", both, true).as_deref(), Some("https://a.example:5051"));
    let name = json!({"hostname": "a.example", "port": 5051});
    assert_eq!(at("http", name).as_deref(), Some("http://a.example:5051"));
    assert_eq!(at("http", json!({"port": 5051})), None);
}

#[test]
fn what_is_reserved_is_used_first_and_echoed() {
    let offered = resources(&json!([
        {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1.0}, "role": "*", "allocation_info": {"role": "batch"}},
        {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.3}, "allocation_info": {"role": "batch"},
            "reservations": [{"type": "DYNAMIC", "role": "batch", "principal": "p"}]},
        {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.3}, "allocation_info": {"role": "batch"},
            "reservations": [{"type": "DYNAMIC", "role": "batch", "principal": "p"}]},
        {"name": "mem", "type": "SCALAR", "scalar": {"value": 64.0}, "role": "batch"},
        {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 31005, "end": 31006}, {"begin": 31000,
            "end": 31001}]}},
        {"name": "ports", "type": "RANGES", "role": "batch", "ranges": {"range": [{"begin": 80, "end": 80}]}},
    ]));
    let mut pool = Pool::new(&offered, &roles(&["batch"]));
    let picked = pool.take(&wanted(700, 64_000, 4)).unwrap();
    assert_eq!(picked.ports, [80, 31_000, 31_001, 31_005]);
    assert_eq!(
        serde_json::to_value(&picked.resources).unwrap(),
        json!([
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.6},
                "reservations": [{"type": "DYNAMIC", "role": "batch", "principal": "p"}],
                "allocation_info": {"role": "batch"}},
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}, "role": "*",
                "allocation_info": {"role": "batch"}},
            {"name": "mem", "type": "SCALAR", "scalar": {"value": 64.0}, "role": "batch"},
            {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 80, "end": 80}]}, "role": "batch"},
            {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 31000, "end": 31001},
                {"begin": 31005, "end": 31005}]}},
        ])
    );
    assert_eq!(pool.total(), wanted(900, 0, 1));
    // Nothing is taken of what is not all there.
    assert_eq!(pool.take(&wanted(100, 1, 0)), None);
    assert_eq!(pool.total(), wanted(900, 0, 1));
}

#[test]
fn what_is_reserved_above_our_role_is_ours() {
    let offered = resources(&json!([
        {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1.0}, "role": "eng"},
        {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1.0}, "role": "engine"},
    ]));
    assert_eq!(Pool::new(&offered, &roles(&["eng/batch"])).total(), wanted(1_000, 0, 0));
    assert_eq!(Pool::new(&offered, &roles(&["*"])).total(), wanted(0, 0, 0));
}

fn launch(command: Command) -> Launch {
    Launch {
        term: Term(1),
        task_id: TaskId::from_text("ct:5:0:nightly:"),
        run_id: RunId::manual(Incarnation(3), 5),
        attempt: 1,
        offers: vec![OfferId::new("O1")],
        agent: AgentId::new("S1"),
        command,
        environment: vec![
            ("FOO".to_owned(), "bar baz".to_owned()),
            ("PORT0".to_owned(), "mine".to_owned()),
        ],
        user: Some("batch".to_owned()),
        fetch: vec![
            Fetch {
                uri: "http://files/a.tgz".to_owned(),
                executable: false,
                cache: true,
                extract: true,
                output_file: String::new(),
            },
            Fetch {
                uri: "http://files/run".to_owned(),
                executable: true,
                cache: false,
                extract: false,
                output_file: "go".to_owned(),
            },
        ],
        resources: Resources::default(),
        kill_grace: Duration::from_secs(10),
        not_after: None,
        cluster: Some(Box::new(ClusterTerms {
            job: JobName::parse("nightly", NameRule::Blanks).unwrap(),
            owner: "ops@example.com".to_owned(),
            container: None,
            executor: String::new(),
            executor_data: String::new(),
            timeout: Some(Duration::from_secs(90)),
        })),
    }
}

fn shell(text: &str, arguments: &[&str]) -> Command {
    let arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
    Command::Shell { text: text.to_owned(), arguments }
}

fn program(program: &str, arguments: &[&str]) -> Command {
    let arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
    Command::Program { program: program.to_owned(), arguments }
}

fn picked(ports: &[u64]) -> Picked {
    Picked { resources: vec![], ports: ports.to_vec() }
}

#[test]
fn a_launch_becomes_a_task() {
    let task = task(&launch(shell("./work", &[])), picked(&[31_000, 31_001]));
    expect![[r#"
        {
          "name": "ChronosTask:nightly",
          "task_id": {
            "value": "ct:5:0:nightly:"
          },
          "agent_id": {
            "value": "S1"
          },
          "resources": [],
          "command": {
            "uris": [
              {
                "value": "http://files/a.tgz",
                "executable": false,
                "extract": true,
                "cache": true
              },
              {
                "value": "http://files/run",
                "executable": true,
                "extract": false,
                "cache": false,
                "output_file": "go"
              }
            ],
            "environment": {
              "variables": [
                {
                  "name": "FOO",
                  "value": "bar baz"
                },
                {
                  "name": "PORT0",
                  "value": "31000"
                },
                {
                  "name": "PORT1",
                  "value": "31001"
                },
                {
                  "name": "PORTS",
                  "value": "31000,31001"
                }
              ]
            },
            "shell": true,
            "value": "./work",
            "user": "batch"
          },
          "kill_policy": {
            "grace_period": {
              "nanoseconds": 10000000000
            }
          },
          "max_completion_time": {
            "nanoseconds": 90000000000
          },
          "labels": {
            "labels": [
              {
                "key": "chronode.job",
                "value": "nightly"
              },
              {
                "key": "chronode.owner",
                "value": "ops@example.com"
              },
              {
                "key": "chronode.run",
                "value": "j3-m5"
              },
              {
                "key": "chronode.attempt",
                "value": "1"
              }
            ]
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&task).unwrap());
}

fn docker(kind: ContainerType, network: Network) -> Container {
    Container {
        kind,
        image: "registry/x:1".to_owned(),
        network,
        network_name: String::new(),
        network_infos: vec![],
        volumes: vec![],
        force_pull_image: false,
        parameters: vec![],
    }
}

fn in_container(command: Command, container: Container) -> wire::TaskInfo {
    let mut launch = launch(command);
    launch.cluster.as_mut().unwrap().container = Some(container);
    task(&launch, picked(&[31_000]))
}

#[test]
fn arguments_arrive_as_they_are() {
    let said = |command: Command, container: Option<ContainerType>| {
        let info = match container {
            None => task(&launch(command), picked(&[])),
            Some(kind) => in_container(command, docker(kind, Network::Host)),
        };
        let wire::CommandInfo { shell, value, arguments, .. } = info.command.unwrap();
        (shell.unwrap(), value, arguments)
    };
    let some = |text: &str| Some(text.to_owned());
    let docker = Some(ContainerType::Docker);
    let mesos = Some(ContainerType::Mesos);
    let odd = ["a b", "it's", "$HOME", ""];
    let quoted = r"echo 'a b' 'it'\''s' '$HOME' ''";
    assert_eq!(said(shell("echo", &odd), None), (true, some(quoted), vec![]));
    assert_eq!(said(shell("echo", &odd), docker), (true, some(quoted), vec![]));
    let argv = |first: &[&str]| -> Vec<String> {
        first.iter().chain(&odd).map(|it| (*it).to_owned()).collect()
    };
    let echo = program("/bin/echo", &odd);
    assert_eq!(said(echo.clone(), None), (false, some("/bin/echo"), argv(&["/bin/echo"])));
    assert_eq!(said(echo.clone(), mesos), (false, some("/bin/echo"), argv(&["/bin/echo"])));
    assert_eq!(said(echo, docker), (false, some("/bin/echo"), argv(&[])));
    // The entry point of the image.
    for kind in [docker, mesos] {
        for command in [program("", &odd), shell("", &odd)] {
            assert_eq!(said(command, kind), (false, None, argv(&[])));
        }
    }
    // There is none: a shell without text would bring the executor down.
    assert_eq!(said(shell("", &[]), None), (true, some(""), vec![]));
}

#[test]
fn both_kinds_of_containers_have_all_that_they_can() {
    let property =
        |key: &str, value: &str| Property { key: key.to_owned(), value: value.to_owned() };
    let mapping = |host_port, protocol: &str| PortMapping {
        host_port,
        container_port: 80,
        protocol: protocol.to_owned(),
    };
    let volume = |host: &str, mode, external| Volume {
        host_path: host.to_owned(),
        container_path: "/data".to_owned(),
        mode,
        external,
    };
    let container = |kind| Container {
        network_infos: vec![NetworkInfo {
            name: "net1".to_owned(),
            protocol: Some(NetworkProtocol::Ipv6),
            labels: vec![property("a", "b")],
            port_mappings: vec![mapping(0, "tcp"), mapping(31_007, "")],
        }],
        volumes: vec![
            volume("/var/log", Some(VolumeMode::ReadOnly), None),
            volume(
                "",
                None,
                Some(ExternalVolume {
                    name: "v1".to_owned(),
                    provider: "dvdi".to_owned(),
                    options: vec![property("o", "p")],
                }),
            ),
        ],
        force_pull_image: true,
        parameters: vec![property("memory-swap", "1g")],
        ..docker(kind, Network::User)
    };
    let said = |kind| {
        let info = in_container(shell("true", &[]), container(kind));
        serde_json::to_value(info.container.unwrap()).unwrap()
    };
    let volumes = json!([
        {"mode": "RO", "container_path": "/data", "host_path": "/var/log"},
        {"mode": "RW", "container_path": "/data", "source": {"type": "DOCKER_VOLUME", "docker_volume": {
            "driver": "dvdi", "name": "v1", "driver_options": {"parameter": [{"key": "o", "value": "p"}]}}}},
    ]);
    let mappings = json!([
        {"host_port": 31_000, "container_port": 80, "protocol": "tcp"},
        {"host_port": 31_007, "container_port": 80},
    ]);
    let network = json!({"name": "net1", "ip_addresses": [{"protocol": "IPv6"}],
        "labels": {"labels": [{"key": "a", "value": "b"}]}});
    assert_eq!(
        said(ContainerType::Docker),
        json!({"type": "DOCKER", "volumes": volumes, "docker": {"image": "registry/x:1", "network": "USER",
            "port_mappings": mappings, "parameters": [{"key": "memory-swap", "value": "1g"}],
            "force_pull_image": true}, "network_infos": [network]})
    );
    let mut network = network;
    network["port_mappings"] = mappings;
    assert_eq!(
        said(ContainerType::Mesos),
        json!({"type": "MESOS", "volumes": volumes, "mesos": {"image": {"type": "DOCKER", "docker":
            {"name": "registry/x:1"}, "cached": false}}, "network_infos": [network]})
    );
    let named = Container {
        network_name: "old".to_owned(),
        ..docker(ContainerType::Docker, Network::User)
    };
    let info = in_container(shell("true", &[]), named).container.unwrap();
    assert_eq!(info.network_infos[0].name.as_deref(), Some("old"));
}

#[test]
fn a_custom_executor_is_told_in_its_own_way() {
    let mut launch = launch(shell("work", &[]));
    let cluster = launch.cluster.as_mut().unwrap();
    cluster.executor = "/opt/executor --flag".to_owned();
    cluster.executor_data = "flags|work".to_owned();
    cluster.container = Some(docker(ContainerType::Docker, Network::Host));
    let task = task(&launch, picked(&[]));
    let executor = task.executor.unwrap();
    let command = executor.command.unwrap();
    assert_eq!((task.command, task.container), (None, None));
    assert_eq!(task.data.as_deref(), Some("ZmxhZ3N8d29yaw=="));
    assert_eq!(executor.executor_id.value, launch.task_id.as_str());
    assert_eq!(executor.name.as_deref(), Some("nightly"));
    assert_eq!(
        (command.shell, command.value.as_deref()),
        (Some(true), Some("/opt/executor --flag"))
    );
    assert_eq!((command.user.as_deref(), command.uris.len()), (Some("batch"), 2));
    assert!(executor.container.is_some());
}

#[test]
fn spans_that_cannot_be_said_are_the_nearest_that_can() {
    assert_eq!(task::span(Duration::MAX).nanoseconds, i64::MAX);
    assert_eq!(task::span(Duration::from_secs(-5)).nanoseconds, 0);
}
