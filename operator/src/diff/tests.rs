use super::covers;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z0-9]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,5}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Adds fields that nobody asked for to every object, as server defaults and other owners do.
fn add_foreign_fields(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Map<_, _> =
                fields.iter().map(|(k, v)| (k.clone(), add_foreign_fields(v))).collect();
            fields.insert("ZZforeign".into(), json!({"by": "someone else"}));
            Value::Object(fields)
        }
        Value::Array(items) => items.iter().map(add_foreign_fields).collect(),
        other => other.clone(),
    }
}

/// Every value that differs from `value` in one leaf.
fn mutations(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, inner)| {
                mutations(inner).into_iter().map(move |changed| {
                    let mut copy = fields.clone();
                    copy.insert(key.clone(), changed);
                    Value::Object(copy)
                })
            })
            .collect(),
        Value::Array(items) => (0..items.len())
            .flat_map(|at| {
                mutations(&items[at]).into_iter().map(move |changed| {
                    let mut copy = items.clone();
                    copy[at] = changed;
                    Value::Array(copy)
                })
            })
            .collect(),
        Value::Bool(b) => vec![json!(!b)],
        Value::Number(n) => vec![json!(n.as_i64().unwrap() + 1)],
        Value::String(s) => vec![json!(format!("{s}!"))],
        Value::Null => vec![],
    }
}

proptest! {
    #[test]
    fn what_we_asked_for_covers_itself(value in any_json()) {
        prop_assert!(covers(&value, &value));
    }

    #[test]
    fn foreign_fields_are_no_drift(value in any_json()) {
        prop_assert!(covers(&add_foreign_fields(&value), &value));
    }

    #[test]
    fn every_change_of_a_leaf_is_drift(value in any_json()) {
        for changed in mutations(&value) {
            prop_assert!(!covers(&changed, &value), "{changed} covers {value}");
        }
    }
}

#[test]
fn injected_sidecars_and_order_are_no_drift() {
    let want = json!({"containers": [{"name": "runtime", "image": "a"}]});
    assert!(covers(
        &json!({"containers": [{"name": "mesh", "image": "b"}, {"name": "runtime", "image": "a"}]}),
        &want
    ));
    assert!(!covers(&json!({"containers": [{"name": "mesh", "image": "a"}]}), &want));
}

#[test]
fn lists_without_a_key_are_compared_whole() {
    let want = json!({"args": ["serve", "--x"]});
    assert!(!covers(&json!({"args": ["serve", "--x", "--y"]}), &want));
    assert!(!covers(&json!({"args": ["--x", "serve"]}), &want));
}

#[test]
fn mounts_of_one_volume_are_told_apart_by_their_path() {
    let want = json!([{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]);
    assert!(!covers(&json!([{"name": "v", "mountPath": "/a"}]), &want));
}

#[test]
fn quantities_are_values_only_below_requests_and_limits() {
    let with = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
    assert!(covers(&with("1"), &with("1000m")));
    assert!(!covers(&with("2"), &with("1000m")));
    assert!(!covers(&json!({"env": "1"}), &json!({"env": "1000m"})));
}

#[test]
fn asking_for_nothing_is_always_covered() {
    assert!(covers(&json!({}), &json!({"nodeSelector": {}, "tolerations": [], "x": null})));
}
