//! What a task runs in.

use crate::mesos::wire;
use crate::model::{
    Container, ContainerType, ExternalVolume, Network, NetworkInfo, NetworkProtocol, PortMapping,
    Property, Volume, VolumeMode,
};

/// The container, on an agent that gives the task these ports of the host.
pub(super) fn container(container: &Container, ports: &[u64]) -> wire::ContainerInfo {
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
    let mut given = ports.iter();
    let mut networks = Vec::new();
    let mut mappings = Vec::new();
    for info in network_infos {
        let (network, its_mappings) = network_info(info, &mut given);
        networks.push(network);
        mappings.push(its_mappings);
    }
    // The older way to name the only one.
    if networks.is_empty() && !network_name.is_empty() {
        let name = Some(network_name.clone());
        networks.push(wire::NetworkInfo { name, ..wire::NetworkInfo::default() });
    }
    let volumes = volumes.iter().map(volume).collect();
    match kind {
        ContainerType::Docker => wire::ContainerInfo {
            kind: "DOCKER".to_owned(),
            volumes,
            docker: Some(wire::Docker {
                image: image.clone(),
                network: Some(mode(*network).to_owned()),
                // Docker maps ports by itself, not by network.
                port_mappings: match network {
                    Network::Bridge | Network::User => mappings.into_iter().flatten().collect(),
                    Network::Host => Vec::new(),
                },
                privileged: None,
                parameters: parameters.iter().map(parameter).collect(),
                force_pull_image: Some(*force_pull_image),
            }),
            mesos: None,
            network_infos: networks,
        },
        ContainerType::Mesos => wire::ContainerInfo {
            kind: "MESOS".to_owned(),
            volumes,
            docker: None,
            // Without an image it is a container over the agent's own files.
            mesos: Some(wire::MesosContainer {
                image: Some(image).filter(|image| !image.is_empty()).map(|image| wire::Image {
                    kind: "DOCKER".to_owned(),
                    docker: Some(wire::DockerImage { name: image.clone() }),
                    cached: Some(!force_pull_image),
                }),
            }),
            network_infos: networks
                .into_iter()
                .zip(mappings.into_iter().chain(std::iter::repeat_with(Vec::new)))
                .map(|(network, port_mappings)| wire::NetworkInfo { port_mappings, ..network })
                .collect(),
        },
    }
}

const fn mode(network: Network) -> &'static str {
    match network {
        Network::Bridge => "BRIDGE",
        Network::Host => "HOST",
        Network::User => "USER",
    }
}

fn network_info<'a>(
    info: &NetworkInfo,
    given: &mut impl Iterator<Item = &'a u64>,
) -> (wire::NetworkInfo, Vec<wire::PortMapping>) {
    let NetworkInfo { name, protocol, labels, port_mappings } = info;
    let label = |Property { key, value }: &Property| wire::Label {
        key: key.clone(),
        value: Some(value.clone()),
    };
    let labels: Vec<_> = labels.iter().map(label).collect();
    let network = wire::NetworkInfo {
        name: Some(name.clone()),
        ip_addresses: protocol
            .map(|protocol| wire::IpAddress {
                protocol: Some(
                    match protocol {
                        NetworkProtocol::Ipv4 => "IPv4",
                        NetworkProtocol::Ipv6 => "IPv6",
                    }
                    .to_owned(),
                ),
                ip_address: None,
            })
            .into_iter()
            .collect(),
        labels: (!labels.is_empty()).then_some(wire::Labels { labels }),
        port_mappings: Vec::new(),
    };
    (network, port_mappings.iter().map(|it| port_mapping(it, given)).collect())
}

/// A mapping. Port 0 of the host is the next of those that the task is given.
fn port_mapping<'a>(
    mapping: &PortMapping,
    given: &mut impl Iterator<Item = &'a u64>,
) -> wire::PortMapping {
    let PortMapping { host_port, container_port, protocol } = mapping;
    let host_port = match host_port {
        0 => given.next().and_then(|port| u32::try_from(*port).ok()).unwrap_or(0),
        port => *port,
    };
    wire::PortMapping {
        host_port,
        container_port: *container_port,
        protocol: Some(protocol.clone()).filter(|protocol| !protocol.is_empty()),
    }
}

fn parameter(property: &Property) -> wire::Parameter {
    let Property { key, value } = property;
    wire::Parameter { key: key.clone(), value: value.clone() }
}

fn volume(volume: &Volume) -> wire::Volume {
    let Volume { host_path, container_path, mode, external } = volume;
    let mode = match mode {
        Some(VolumeMode::ReadOnly) => "RO",
        Some(VolumeMode::ReadWrite) | None => "RW",
    };
    wire::Volume {
        mode: mode.to_owned(),
        container_path: container_path.clone(),
        host_path: Some(host_path.clone()).filter(|path| !path.is_empty()),
        source: external.as_ref().map(source),
    }
}

fn source(volume: &ExternalVolume) -> wire::VolumeSource {
    let ExternalVolume { name, provider, options } = volume;
    let parameter: Vec<_> = options.iter().map(parameter).collect();
    wire::VolumeSource {
        kind: "DOCKER_VOLUME".to_owned(),
        docker_volume: Some(wire::DockerVolume {
            driver: Some(provider.clone()).filter(|driver| !driver.is_empty()),
            name: name.clone(),
            driver_options: (!parameter.is_empty()).then_some(wire::Parameters { parameter }),
        }),
    }
}
