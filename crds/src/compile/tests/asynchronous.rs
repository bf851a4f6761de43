//! Tools whose calls are tasks.

use super::fleets::{Fleet, parse};
use crate::{
    compile::{Reason, check_tool},
    v1alpha1::McpTool,
};

fn asynchronous(how: &str) -> McpTool {
    parse(&format!(
        "kind: McpTool\nmetadata: {{name: export, namespace: agents, labels: {{fleet: shop}}}}\nspec:\n  \
         description: exports\n  backend: {{static: {{text: done}}}}\n  async: {how}\n"
    ))
}

#[test]
fn a_task_is_kept_for_an_hour_unless_said_otherwise_and_asks_for_format_4() {
    for (how, ms) in [("{}", 3_600_000), ("{ttl: 90s}", 90_000)] {
        let compiled = Fleet::shop().tool(asynchronous(how)).compile().unwrap();
        let tool = &compiled.config.tools[0];
        assert_eq!(tool.asynchronous.map(|calls| calls.ttl_ms), Some(ms));
        assert_eq!(compiled.config.format, 4);
    }
}

#[test]
fn a_time_that_no_result_could_be_read_in_is_refused() {
    for ttl in ["999ms", "25h", "soon"] {
        let report = check_tool(&asynchronous(&format!("{{ttl: {ttl}}}")));
        let refused: Vec<_> = report.errors().map(|it| (it.field.as_str(), it.reason)).collect();
        assert_eq!(refused, [("spec.async.ttl", Reason::InvalidDuration)], "{ttl}");
    }
}

#[test]
fn names_that_its_clients_need_are_its_own() {
    let named = |name: &str, asynchronous: &str, year: u32| -> McpTool {
        parse(&format!(
            "kind: McpTool\nmetadata: {{name: t{year}, namespace: agents, labels: {{fleet: shop}}, creationTimestamp: \
             '{year}-01-01T00:00:00Z'}}\nspec:\n  name: {name}\n  description: exports\n  backend: {{static: {{text: done}}}}\n{asynchronous}"
        ))
    };
    let asynchronous = "  async: {}\n";
    for (older, younger, loses) in [
        (("export", asynchronous), ("export_start", ""), true),
        (("task_status", ""), ("export", asynchronous), true),
        (("export", asynchronous), ("import", asynchronous), false),
        (("export", ""), ("export_start", ""), false),
    ] {
        let fleet = Fleet::shop().tool(named(older.0, older.1, 2020)).tool(named(younger.0, younger.1, 2021));
        let all: Vec<String> =
            fleet.compile().unwrap().config.tools.into_iter().map(|tool| tool.name).collect();
        let served = |name: &str| all.iter().any(|served| served == name);
        assert!(served(older.0), "{all:?}");
        assert_eq!(served(younger.0), !loses, "{older:?} {younger:?}");
    }
}
