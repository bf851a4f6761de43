//! What a server offers itself beside tools: prompts and resources. A refused one is left out, the rest serves.

use super::{
    Inputs, prompt,
    report::{Collector, ObjectKey, Reason, Scope},
    resource,
};
use mcpfleet_config::{Fault, Flaw, Prompt, Resource};
use serde::Serialize;
use std::collections::BTreeSet;

/// Most bytes of all prompts and resources of a server, as they stand in the configuration.
const MAX_BYTES: usize = 300 * 1024;

/// Prompts and resources that are served.
#[derive(Default)]
pub(super) struct Offers {
    /// Sorted by name.
    pub(super) prompts: Vec<Prompt>,
    /// Sorted by name.
    pub(super) resources: Vec<Resource>,
    /// Their bytes in the configuration.
    pub(super) bytes: usize,
}

/// Resources come first: prompts embed them. Within a list the first ones have the room.
pub(super) fn compile_all(inputs: &Inputs<'_>, collector: &mut Collector) -> Offers {
    let spec = &inputs.server.spec;
    let mut offers = Offers::default();
    let mut taken = BTreeSet::new();
    for resource in &spec.resources {
        let mut scope = collector.scope(ObjectKey::server(inputs.server));
        let at = format!("spec.resources[{}]", resource.name);
        let made = free(&mut scope, &at, &resource.name, &mut taken)
            .and_then(|()| resource::compile(&mut scope, &at, resource, &offers.resources))
            .filter(|made| offers.has_room(&mut scope, &at, made));
        offers.resources.extend(made);
    }
    let mut taken = BTreeSet::new();
    for prompt in &spec.prompts {
        let mut scope = collector.scope(ObjectKey::server(inputs.server));
        let at = format!("spec.prompts[{}]", prompt.name);
        let made = free(&mut scope, &at, &prompt.name, &mut taken)
            .and_then(|()| prompt::compile(&mut scope, &at, prompt, &offers.resources))
            .filter(|made| offers.has_room(&mut scope, &at, made));
        offers.prompts.extend(made);
    }
    offers.resources.sort_by(|a, b| a.name.cmp(&b.name));
    offers.prompts.sort_by(|a, b| a.name.cmp(&b.name));
    offers
}

impl Offers {
    fn has_room<T: Serialize>(&mut self, scope: &mut Scope<'_>, at: &str, made: &T) -> bool {
        let size = serde_json::to_string(made).map_or(usize::MAX, |json| json.len());
        if self.bytes.saturating_add(size) > MAX_BYTES {
            let message = format!(
                "has {size} bytes; of the {MAX_BYTES} that prompts and resources of a server may have together, \
                 those in front of it take {}",
                self.bytes
            );
            scope.error(at, Reason::TooLarge, message, "shorten texts, or split the server in two");
            return false;
        }
        self.bytes += size;
        true
    }
}

/// The first one to claim a name gets it.
fn free<'a>(scope: &mut Scope<'_>, at: &str, name: &'a str, taken: &mut BTreeSet<&'a str>) -> Option<()> {
    if taken.insert(name) {
        return Some(());
    }
    let remedy = "give each a name of its own";
    scope.error(&format!("{at}.name"), Reason::DuplicateName, "stands twice", remedy);
    None
}

/// Reports what the configuration's own check finds.
pub(super) fn report(scope: &mut Scope<'_>, at: &str, flaws: Vec<Flaw>) {
    for Flaw { field, fault } in flaws {
        let (reason, remedy) = verdict(&fault);
        scope.error(&format!("{at}.{field}"), reason, fault.to_string(), remedy);
    }
}

fn verdict(fault: &Fault) -> (Reason, &'static str) {
    match fault {
        Fault::Name { .. } => (Reason::InvalidName, "use letters, digits, '_', '-' and '.'"),
        Fault::Repeated { .. } => (Reason::DuplicateName, "write it once"),
        Fault::Empty => (Reason::InvalidContent, "write something, or leave it out"),
        Fault::UnknownPlaceholder { .. } => {
            (Reason::UnknownArgument, "declare it, correct the name, or write \\{{ where braces are meant")
        }
        Fault::UnknownVariable { .. } => {
            (Reason::UnknownArgument, "use a name that uriTemplate has in braces")
        }
        Fault::UnknownResource { .. } => {
            (Reason::ResourceNotFound, "add it to spec.resources, or mend the resource if it is refused")
        }
        Fault::ScopeOfResource { .. } => {
            (Reason::InvalidScope, "add the scope to the prompt: who has the prompt reads the resource")
        }
        Fault::Scope { .. } => (Reason::InvalidScope, "use printable ASCII without space, '\"' and '\\'"),
        Fault::MediaType { .. } => {
            (Reason::InvalidContent, "write type/subtype, such as text/plain or image/png")
        }
        Fault::NotBase64 => (Reason::InvalidContent, "encode the bytes with `base64 -w0`"),
        Fault::Priority => (Reason::OutOfRange, "use 0 to 1"),
        Fault::Uri(_) => (Reason::InvalidUrl, "write an absolute URI, such as shop://policies/returns"),
    }
}
