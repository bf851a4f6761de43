use crate::{
    fixtures::{observed, server, serving, situation, tool},
    server::{Applied, judge},
};
use mcpfleet_crds::v1alpha1::ConditionStatus;
use serde_json::{Value, json};

/// Status and reason of two conditions, as one line.
fn told(spec: Value) -> String {
    let observed = serving(observed(server(spec), &[tool("hello", json!({}))]));
    let verdicts = judge(&situation(&observed, &Applied::default(), None)).verdicts;
    let one = |type_: &str| {
        let verdict = verdicts.iter().find(|verdict| verdict.type_ == type_);
        verdict.map_or_else(
            || "absent".into(),
            |it| format!("{} {}", it.status == ConditionStatus::True, it.reason),
        )
    };
    format!("Ready {}, UpstreamsAccepted {}", one("Ready"), one("UpstreamsAccepted"))
}

#[test]
fn what_labels_find_is_told_and_does_not_make_the_server_unready() {
    assert_eq!(told(json!({})), "Ready true Serving, UpstreamsAccepted absent");
    let nothing = json!({"upstreamSelector": {"services": {"selector": {}}}});
    assert_eq!(told(nothing), "Ready true Serving, UpstreamsAccepted false NothingSelected");
}
