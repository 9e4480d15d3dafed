//! `container`, in both directions and both shapes.
//!
//! DIFFERENCE: Chronos 2 knows neither `type`, nor networks, nor external volumes, and drops them. Here they are read
//! at both doors, and printed at the old one when they are there, so that a job made through the new door survives
//! being read and sent back through the old one.

use serde_json::{Map, Value, json};

use super::fields::{Findings, Object, TextRule};
use super::known;
use crate::model::{
    Container, ContainerType, Dialect, ExternalVolume, Network, NetworkInfo, NetworkProtocol,
    PortMapping, Property, Volume, VolumeMode,
};

/// The largest port.
const PORT_MAX: i64 = 65_535;

/// The container a body asks for.
///
/// Without `image` there is none: Chronos 3 lets that pass, so it is a warning there; Chronos 2 does not.
pub(super) fn read(body: &Object<'_>, dialect: Dialect, found: &mut Findings) -> Option<Container> {
    let value = body.get("container")?;
    let body = Object::of(value, "container", known::CONTAINER, found)?;
    let image = body.text("image", TextRule::PROCESS, found);
    // An image of the wrong shape is refused by now, and what else is wrong shall be told with it.
    let is_named = body.get("image").is_some() && image.as_deref() != Some("");
    if !is_named {
        let message = "`container` has no `image`";
        match dialect {
            Dialect::V0 => found.refuse(
                "container.image",
                message.to_owned(),
                "name an image, or leave `container` out",
            ),
            Dialect::V1 => found.warn("container", format!("{message} and has no effect")),
        }
        return None;
    }
    let kind = body.word("type", "`DOCKER` or `MESOS`", parse_kind, found);
    let network = body.word("network", "`BRIDGE`, `HOST` or `USER`", parse_network, found);
    let network_name = body.text("networkName", TextRule::PROCESS, found);
    let network_infos = body.list("networkInfos", found, network_info);
    let volumes = body.list("volumes", found, volume);
    let force_pull_image = body.flag("forcePullImage", found);
    let parameters = body.properties("parameters", found);
    Some(Container {
        kind: kind.unwrap_or(ContainerType::Docker),
        image: image?,
        network: network.unwrap_or(Network::Host),
        network_name: network_name.unwrap_or_default(),
        network_infos: network_infos.unwrap_or_default(),
        volumes: volumes.unwrap_or_default(),
        force_pull_image: force_pull_image.unwrap_or(false),
        parameters,
    })
}

/// In any case, as Chronos.
fn parse_kind(word: &str) -> Option<ContainerType> {
    [ContainerType::Docker, ContainerType::Mesos]
        .into_iter()
        .find(|&kind| kind_word(kind).eq_ignore_ascii_case(word))
}

const fn kind_word(kind: ContainerType) -> &'static str {
    match kind {
        ContainerType::Docker => "DOCKER",
        ContainerType::Mesos => "MESOS",
    }
}

/// In upper case only, as Chronos.
fn parse_network(word: &str) -> Option<Network> {
    [Network::Bridge, Network::Host, Network::User]
        .into_iter()
        .find(|&network| network_word(network) == word)
}

const fn network_word(network: Network) -> &'static str {
    match network {
        Network::Bridge => "BRIDGE",
        Network::Host => "HOST",
        Network::User => "USER",
    }
}

fn network_info(item: &Value, path: &str, found: &mut Findings) -> Option<NetworkInfo> {
    let item = Object::of(item, path, known::NETWORK_INFO, found)?;
    let name = item.required_text("name", TextRule::PROCESS, found);
    let protocol = item.word("protocol", "`IPv4` or `IPv6`", parse_protocol, found);
    let labels = item.properties("labels", found);
    let port_mappings = item.list("portMappings", found, port_mapping).unwrap_or_default();
    Some(NetworkInfo { name: name?, protocol, labels, port_mappings })
}

fn parse_protocol(word: &str) -> Option<NetworkProtocol> {
    [NetworkProtocol::Ipv4, NetworkProtocol::Ipv6]
        .into_iter()
        .find(|&protocol| protocol_word(protocol).eq_ignore_ascii_case(word))
}

const fn protocol_word(protocol: NetworkProtocol) -> &'static str {
    match protocol {
        NetworkProtocol::Ipv4 => "IPv4",
        NetworkProtocol::Ipv6 => "IPv6",
    }
}

fn port_mapping(item: &Value, path: &str, found: &mut Findings) -> Option<PortMapping> {
    let item = Object::of(item, path, known::PORT_MAPPING, found)?;
    let host_port = port(&item, "hostPort", found);
    let container_port = port(&item, "containerPort", found);
    let protocol = item.text("protocol", TextRule::PROCESS, found).unwrap_or_default();
    Some(PortMapping { host_port: host_port?, container_port: container_port?, protocol })
}

fn port(item: &Object<'_>, key: &str, found: &mut Findings) -> Option<u32> {
    if item.get(key).is_none() {
        let path = item.path_of(key);
        found.refuse(&path, format!("`{path}` is missing"), "give it a port such as `80`");
    }
    let port = item.whole(key, 0..=PORT_MAX, found)?;
    Some(u32::try_from(port).expect("within 0..=PORT_MAX"))
}

fn volume(item: &Value, path: &str, found: &mut Findings) -> Option<Volume> {
    let item = Object::of(item, path, known::VOLUME, found)?;
    let host_path = item.text("hostPath", TextRule::PROCESS, found).unwrap_or_default();
    let container_path = item.required_text("containerPath", TextRule::PROCESS, found);
    let mode = item.word("mode", "`RW` or `RO`", parse_mode, found);
    let external = item
        .get("external")
        .and_then(|value| external_volume(value, &item.path_of("external"), found));
    Some(Volume { host_path, container_path: container_path?, mode, external })
}

fn parse_mode(word: &str) -> Option<VolumeMode> {
    [VolumeMode::ReadWrite, VolumeMode::ReadOnly]
        .into_iter()
        .find(|&mode| mode_word(mode).eq_ignore_ascii_case(word))
}

const fn mode_word(mode: VolumeMode) -> &'static str {
    match mode {
        VolumeMode::ReadWrite => "RW",
        VolumeMode::ReadOnly => "RO",
    }
}

fn external_volume(value: &Value, path: &str, found: &mut Findings) -> Option<ExternalVolume> {
    let object = Object::of(value, path, known::EXTERNAL_VOLUME, found)?;
    let name = object.required_text("name", TextRule::PROCESS, found);
    let provider = object.required_text("provider", TextRule::PROCESS, found);
    let options = object.properties("options", found);
    Some(ExternalVolume { name: name?, provider: provider?, options })
}

/// The container as `dialect` prints it.
pub(super) fn print(container: &Container, dialect: Dialect) -> Value {
    let Container {
        kind,
        image,
        network,
        network_name,
        network_infos,
        volumes,
        force_pull_image,
        parameters,
    } = container;
    let kind = kind_word(*kind);
    let kind = match dialect {
        Dialect::V0 => kind.to_ascii_lowercase(),
        Dialect::V1 => kind.to_owned(),
    };
    let mut printed = Map::new();
    printed.insert("type".to_owned(), kind.into());
    printed.insert("image".to_owned(), image.as_str().into());
    printed.insert("network".to_owned(), network_word(*network).into());
    if !network_name.is_empty() {
        printed.insert("networkName".to_owned(), network_name.as_str().into());
    }
    if dialect == Dialect::V1 || !network_infos.is_empty() {
        let infos = network_infos.iter().map(print_network_info);
        printed.insert("networkInfos".to_owned(), infos.collect());
    }
    printed.insert("volumes".to_owned(), volumes.iter().map(print_volume).collect());
    printed.insert("forcePullImage".to_owned(), (*force_pull_image).into());
    printed.insert("parameters".to_owned(), print_properties(parameters));
    Value::Object(printed)
}

fn print_network_info(info: &NetworkInfo) -> Value {
    let NetworkInfo { name, protocol, labels, port_mappings } = info;
    let mut printed = Map::new();
    printed.insert("name".to_owned(), name.as_str().into());
    if let Some(protocol) = protocol {
        printed.insert("protocol".to_owned(), protocol_word(*protocol).into());
    }
    printed.insert("labels".to_owned(), print_properties(labels));
    let mappings = port_mappings.iter().map(print_port_mapping);
    printed.insert("portMappings".to_owned(), mappings.collect());
    Value::Object(printed)
}

/// Ports are texts, as in Chronos.
fn print_port_mapping(mapping: &PortMapping) -> Value {
    let PortMapping { host_port, container_port, protocol } = mapping;
    let mut printed =
        json!({"hostPort": host_port.to_string(), "containerPort": container_port.to_string()});
    if !protocol.is_empty() {
        printed["protocol"] = protocol.as_str().into();
    }
    printed
}

fn print_volume(volume: &Volume) -> Value {
    let Volume { host_path, container_path, mode, external } = volume;
    let mut printed = Map::new();
    if !host_path.is_empty() {
        printed.insert("hostPath".to_owned(), host_path.as_str().into());
    }
    printed.insert("containerPath".to_owned(), container_path.as_str().into());
    if let Some(mode) = mode {
        printed.insert("mode".to_owned(), mode_word(*mode).into());
    }
    if let Some(ExternalVolume { name, provider, options }) = external {
        let external =
            json!({"name": name, "provider": provider, "options": print_properties(options)});
        printed.insert("external".to_owned(), external);
    }
    Value::Object(printed)
}

fn print_properties(properties: &[Property]) -> Value {
    properties.iter().map(|Property { key, value }| json!({"key": key, "value": value})).collect()
}
