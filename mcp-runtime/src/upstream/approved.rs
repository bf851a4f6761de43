//! Whether a tool's definition is the one that was approved. Pure.

use mcpfleet_config::{
    UpstreamTools,
    pin::{DefinitionHash, DefinitionPart, difference},
    status::WithheldTool,
};
use mcpfleet_protocol::{Revision, Tool};
use serde_json::{Map, Value, value::RawValue};
use std::{collections::BTreeMap, sync::Arc};

/// Approved definitions that an upstream has had, by its name of the tool: what changed is shown against them where the
/// configuration holds hashes only. At most one for each pin.
#[derive(Clone, Debug, Default)]
pub(super) struct Approved(BTreeMap<String, Arc<Map<String, Value>>>);

/// What pins say of a definition.
#[derive(Debug)]
pub(super) enum Verdict {
    /// There is no pin for it.
    Unpinned,
    /// It is what was approved; to be served as it stands here. Whoever reads JSON in another way than we do (the first
    /// of two members of one name, for one) must not read something else than what was hashed.
    Fits(Box<Tool>),
    /// It is something else.
    Differs(WithheldTool),
}

impl Approved {
    /// Looks at one definition.
    pub(super) fn judge(&mut self, tools: &UpstreamTools, tool: &Tool) -> Verdict {
        let Some(pin) = tools.pins.as_ref().and_then(|pins| pins.get(&tool.name)) else {
            return Verdict::Unpinned;
        };
        let differs = |changed, difference| {
            Verdict::Differs(WithheldTool { tool: tool.name.clone(), changed, difference })
        };
        // What cannot be hashed cannot be what was approved.
        let (Ok(pin), Some(now)) = (pin.parse::<DefinitionHash>(), definition(tool)) else {
            return differs(DefinitionPart::ALL.to_vec(), String::new());
        };
        let hash = DefinitionHash::of(&now);
        if pin.fits(&hash)
            && let Some(canonical) = read(&now)
        {
            self.0.insert(tool.name.clone(), Arc::new(now));
            return Verdict::Fits(Box::new(canonical));
        }
        let seen = self.0.get(&tool.name).map(AsRef::as_ref);
        let known = tools.approved.get(&tool.name).or(seen);
        // What was seen may have been approved under another pin.
        let known = known.filter(|known| pin.fits(&DefinitionHash::of(known)));
        let difference = known.map(|known| difference(known, &now)).unwrap_or_default();
        differs(pin.changed(&hash), difference)
    }

    /// Drops what is no longer pinned.
    pub(super) fn forget_unpinned(&mut self, tools: &UpstreamTools) {
        self.0.retain(|tool, _| tools.pins.as_ref().is_some_and(|pins| pins.contains_key(tool)));
    }
}

/// A definition as it is hashed: what clients would be given. `None` for one that nests too deeply or holds a number that
/// is none.
pub(super) fn definition(tool: &Tool) -> Option<Map<String, Value>> {
    serde_json::from_str(tool.write(Revision::LATEST_MODERN).as_str()).ok()
}

fn read(definition: &Map<String, Value>) -> Option<Tool> {
    let text = serde_json::to_string(definition).ok()?;
    let raw = RawValue::from_string(text).ok()?;
    Tool::read(&raw).ok()
}
