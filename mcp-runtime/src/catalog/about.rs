//! Who a server says it is: what it offers, its own and its upstreams', and what they tell models.

use super::{missing, offers::Offers};
use crate::upstream::Roster;
use mcpfleet_config::{Processes, RuntimeConfig, UpstreamTransport};
use mcpfleet_protocol::{
    Era, ListChanges, Offered, ResourcesOffer, Revision, ServerCapabilities,
    answer::{Implementation, Keeps, ServerIdentity},
};

/// Most bytes of instructions that are gathered from upstreams.
const MAX_INSTRUCTIONS: usize = 16 * 1024;

/// Who the server says it is, and what it offers: its own and everything that an upstream that answers has declared.
pub fn identity(
    info: &Implementation,
    config: &RuntimeConfig,
    own: &Offers,
    roster: &Roster,
) -> ServerIdentity {
    let changes = list_changes(config);
    let offered = |yes: bool| if yes { Offered::Yes } else { Offered::No };
    let any =
        |has: fn(&ServerCapabilities) -> bool| roster.about.iter().any(|(_, about)| has(&about.capabilities));
    let prompts = !own.prompts.is_empty() || any(|it| it.prompts.is_some());
    let resources = !own.resources.is_empty() || any(|it| it.resources.is_some());
    let subscribe = offered(changes == ListChanges::Announced);
    let completions = own.complete_anything() || any(|it| it.completions == Offered::Yes);
    let capabilities = ServerCapabilities {
        tools: Some(changes),
        prompts: prompts.then_some(changes),
        resources: resources.then_some(ResourcesOffer { changes, subscribe }),
        completions: offered(completions),
        // Those who carry a request out may have something to say; we ourselves have not.
        logging: offered(!config.upstreams.is_empty()),
        extensions: None,
    };
    let instructions = match (config.is_program(), roster.about.as_slice()) {
        (Some(_), [(_, about)]) => about.instructions.clone(),
        _ => instructions(config, roster),
    };
    ServerIdentity { info: info.clone(), capabilities, instructions }
}

/// Whether it is a program of an earlier revision of which each session has a process.
pub fn keeps(config: &RuntimeConfig, roster: &Roster) -> Keeps {
    let program = config.is_program().map(|upstream| &upstream.transport);
    let apart = matches!(program, Some(UpstreamTransport::Stdio { processes: Processes::PerSession, .. }));
    let spoken = roster.status.first().and_then(|upstream| Revision::parse(upstream.revision.as_deref()?));
    if apart && spoken.is_some_and(|spoken| spoken.era() == Era::Legacy) {
        Keeps::Sessions
    } else {
        Keeps::Nothing
    }
}

/// Its own name and version; those of the program when it is nothing but a program.
pub fn implementation(config: &RuntimeConfig, roster: &Roster) -> Implementation {
    let about = config.is_program().and_then(|_| roster.about.first());
    let program = about.and_then(|(_, about)| about.info.clone());
    program.unwrap_or_else(|| Implementation::new(config.server.to_string(), env!("CARGO_PKG_VERSION")))
}

/// What cannot be used now, and what upstreams tell models, each under its name.
fn instructions(config: &RuntimeConfig, roster: &Roster) -> Option<String> {
    let known = roster.about.iter().filter(|(name, _)| missing::is_for_everybody(config, name));
    let said = known.filter_map(|(name, about)| Some((name, about.instructions.as_deref()?)));
    let mut text = missing::instructions(config, roster).unwrap_or_default();
    for (upstream, instructions) in said {
        if text.len() + upstream.len() + instructions.len() > MAX_INSTRUCTIONS {
            break;
        }
        let gap = if text.is_empty() { "" } else { "\n\n" };
        text = format!("{text}{gap}{upstream}: {instructions}");
    }
    (!text.is_empty()).then_some(text)
}

/// A server that may keep no streams promises no notifications.
pub fn list_changes(config: &RuntimeConfig) -> ListChanges {
    match config.admission.max_streams {
        0 => ListChanges::Silent,
        _ => ListChanges::Announced,
    }
}
