//! Tools of an upstream that are kept back because they are not what was approved, as a status tells of them: pure. What
//! pods say is bounded here again, because the API server refuses a whole status for one list that is too long.

use super::{UpstreamVerdict, cut};
use crate::fleet::UpstreamWord;
use mcpfleet_config::{pin, status as pod};
use mcpfleet_crds::v1alpha1::{DefinitionPart, WithheldTool};

/// Tools that are listed of one upstream.
const MAX_OF_ONE: usize = 8;
/// Tools that are listed of all.
const MAX_OF_ALL: usize = 64;
/// Tools that a message names; the list has the rest.
const MAX_NAMED: usize = 3;
/// Longest name of a tool, in characters.
const MAX_NAME: usize = 128;

/// What of it is listed.
pub(super) fn listed(word: &UpstreamWord) -> Vec<WithheldTool> {
    word.withheld.values().take(MAX_OF_ONE).map(tool).collect()
}

fn tool(tool: &pod::WithheldTool) -> WithheldTool {
    WithheldTool {
        tool: cut(&tool.tool, MAX_NAME),
        // Each part once, in one order.
        changed: pin::DefinitionPart::ALL
            .into_iter()
            .filter(|part| tool.changed.contains(part))
            .map(part)
            .collect(),
        difference: cut(&tool.difference, pin::MAX_DIFFERENCE),
    }
}

fn part(part: pin::DefinitionPart) -> DefinitionPart {
    match part {
        pin::DefinitionPart::Description => DefinitionPart::Description,
        pin::DefinitionPart::InputSchema => DefinitionPart::InputSchema,
        pin::DefinitionPart::OutputSchema => DefinitionPart::OutputSchema,
        pin::DefinitionPart::Annotations => DefinitionPart::Annotations,
        pin::DefinitionPart::Other => DefinitionPart::Other,
    }
}

/// Leaves as many in the lists as one status may have, first come first served; the counts stay.
pub(super) fn bound(verdicts: &mut [UpstreamVerdict]) {
    let mut room = MAX_OF_ALL;
    for verdict in verdicts {
        verdict.withheld.truncate(room);
        room -= verdict.withheld.len();
    }
}

/// What is kept back, and what to do; `None` when nothing is.
pub(super) fn sentence(word: &UpstreamWord) -> Option<String> {
    let (count, are) = match word.withheld_count {
        0 => return None,
        1 => ("1 tool".to_owned(), "is"),
        count => (format!("{count} tools"), "are"),
    };
    let mut names: Vec<String> = word.withheld.values().take(MAX_NAMED).map(named).collect();
    let more = word.withheld_count as usize - names.len().min(word.withheld_count as usize);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let names = names.join(", ");
    Some(format!(
        "{count} {are} withheld, not being what was approved: {names}; read status.upstreams[].withheld, and run \
         mcp-runtime pin to approve what they are now"
    ))
}

fn named(tool: &pod::WithheldTool) -> String {
    let parts: Vec<&str> = tool.changed.iter().map(|part| part.as_str()).collect();
    format!("{} ({})", cut(&tool.tool, MAX_NAME), parts.join(", "))
}

/// The reason of one that can be used: what was the matter already weighs more.
pub(super) fn reason(reason: String) -> String {
    if reason == "Connected" { "ToolsWithheld".into() } else { reason }
}

/// Before what else is said: that may be long, and the end is cut.
pub(super) fn beside(sentence: String, message: Option<String>) -> String {
    [Some(sentence), message].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
