//! Places of attempts.

use super::*;

pub(super) fn placed() -> impl Strategy<Value = Placed> {
    let sandbox = (text(), text()).prop_map(|(agent, directory)| Sandbox { agent, directory });
    let values = proptest::collection::vec((text(), text()), 0..3);
    (text(), values, of(sandbox)).prop_map(|(hostname, values, sandbox)| Placed {
        hostname,
        values,
        sandbox,
    })
}
