//! What agents offer, as the engine understands it.

use super::Pool;
use crate::mesos::wire;
use crate::model::{
    AgentId, Attribute, AttributeValue, Offer, OfferId, OfferKind, Scalar, Timestamp,
};

/// The offer as the engine understands it, for a framework of these roles. Whether its agent speaks TLS it does not say
/// (a master writes `http` in any case), so that has to be known.
#[must_use]
pub fn offer(offer: &wire::Offer, roles: &[String], has_tls: bool) -> Offer {
    let wire::Offer {
        id,
        agent_id,
        framework_id: _,
        hostname,
        url,
        resources,
        attributes,
        unavailability,
        allocation_info,
    } = offer;
    Offer {
        id: OfferId::new(id.value.clone()),
        agent: AgentId::new(agent_id.value.clone()),
        hostname: hostname.clone(),
        attributes: attributes.iter().filter_map(attribute).collect(),
        resources: Pool::new(resources, roles).total(),
        kind: OfferKind::Once,
        unavailable_from: unavailability.and_then(|it| unavailable_from(&it)),
        files_at: url.as_ref().and_then(|url| files_at(url, has_tls)),
        share: share(allocation_info.as_ref()).to_owned(),
    }
}

/// The role that an offer is allocated to. A master takes no call that uses offers of two roles.
pub(in crate::launcher::mesos) fn share(allocation: Option<&wire::AllocationInfo>) -> &str {
    allocation.and_then(|it| it.role.as_deref()).unwrap_or("*")
}

/// An attribute; `None` for one whose value is not of its kind.
fn attribute(attribute: &wire::Attribute) -> Option<Attribute> {
    let wire::Attribute { name, kind, scalar, ranges, set, text } = attribute;
    let value = match kind {
        wire::ValueType::Text => AttributeValue::Text(text.as_ref()?.value.clone()),
        wire::ValueType::Scalar => {
            AttributeValue::Scalar(Scalar::from_units(scalar.as_ref()?.value)?)
        }
        wire::ValueType::Set => AttributeValue::Set(set.as_ref()?.item.clone()),
        wire::ValueType::Ranges => {
            ranges.as_ref()?;
            AttributeValue::Ranges
        }
        wire::ValueType::Other => return None,
    };
    Some(Attribute { name: name.clone(), value })
}

/// When the agent is to be out of service. For how long does not matter: nothing is to be killed by it.
fn unavailable_from(unavailability: &wire::Unavailability) -> Option<Timestamp> {
    let wire::Unavailability { start, duration: _ } = unavailability;
    Timestamp::from_nanosecond(start.nanoseconds.into()).ok()
}

/// How the agent is reached. By its address rather than its name, which may mean nothing here; but a certificate is for
/// the name.
fn files_at(url: &wire::Url, has_tls: bool) -> Option<String> {
    let wire::Url { scheme, address, path: _ } = url;
    let wire::Address { hostname, ip, port } = address;
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (scheme, host) = if has_tls || scheme == "https" {
        ("https", given(hostname).or_else(|| given(ip))?)
    } else {
        ("http", given(ip).or_else(|| given(hostname))?)
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Some(format!("{scheme}://{host}:{port}"))
}
