//! There and back: what both revisions have comes through unchanged.

use crate::value;
use mcpfleet_protocol::{
    Capability, ClientCapabilities, Era, Method, Revision,
    answer::{CachePolicy, Forward, Implementation, forward_result, translate_error},
    input::{Asked, rewrite_request},
    jsonrpc::{Message, Outcome, parse},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json, value::RawValue};

const LEGACY: Revision = Revision::V2025_11_25;
const MODERN: Revision = Revision::V2026_07_28;

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ]
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((any::<String>(), scalar()), 0..6).prop_map(Map::from_iter)
}

/// A result that legacy and modern revisions both have.
fn result() -> impl Strategy<Value = Value> {
    (prop::collection::vec(object(), 0..4), prop::option::of(object()), object(), object()).prop_map(
        |(content, structured, meta, more)| {
            let mut result = more;
            result.insert("content".into(), json!(content));
            structured.map(|structured| result.insert("structuredContent".into(), json!(structured)));
            if !meta.is_empty() {
                result.insert("_meta".into(), json!(meta));
            }
            Value::Object(result)
        },
    )
}

fn forwarded(result: &str, to: Revision) -> String {
    let server = Implementation::new("us", "1");
    let forward = Forward { method: Method::CallTool, to, server: &server, cache: CachePolicy::UNKNOWN };
    forward_result(&raw(result), &forward).unwrap().as_str().to_owned()
}

fn capabilities() -> impl Strategy<Value = ClientCapabilities> {
    // Bits of a part without its whole are nobody's: what was written is what is meant.
    any::<u16>().prop_map(|bits| {
        let written = ClientCapabilities::from_bits(bits).write(LEGACY);
        ClientCapabilities::read(&raw(written.as_str()))
    })
}

fn translated(error: &str, from: Era, to: Revision) -> String {
    let message = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{error}}}"#);
    let Ok(Message::Response { outcome: Outcome::Error(error), .. }) = parse(message.as_bytes()) else {
        panic!()
    };
    translate_error(&error, Method::ReadResource, from, to).as_str().to_owned()
}

fn rewritten(params: &str, revision: Revision) -> String {
    let all = Capability::ALL.into_iter().fold(ClientCapabilities::default(), ClientCapabilities::with);
    let to = Asked { revision, capabilities: &all, elicitation_id: "e" };
    rewrite_request("elicitation/create", Some(&raw(params)), &to).unwrap().unwrap().as_str().to_owned()
}

proptest! {
    #[test]
    fn results_legacy_to_modern_and_back(result in result()) {
        let text = result.to_string();
        prop_assert_eq!(value(forwarded(&forwarded(&text, MODERN), LEGACY)), value(&text));
    }

    #[test]
    fn results_modern_to_legacy_and_back(result in result()) {
        let modern = forwarded(&result.to_string(), MODERN);
        prop_assert_eq!(value(forwarded(&forwarded(&modern, LEGACY), MODERN)), value(&modern));
    }

    #[test]
    fn what_the_oldest_gets_is_the_same_by_any_way(result in result()) {
        let text = result.to_string();
        let direct = forwarded(&text, Revision::V2024_11_05);
        prop_assert_eq!(value(forwarded(&forwarded(&text, MODERN), Revision::V2024_11_05)), value(&direct));
        prop_assert_eq!(value(forwarded(&direct, Revision::V2024_11_05)), value(&direct), "and stays so");
    }

    #[test]
    fn errors_legacy_to_modern_and_back(
        code in prop_oneof![Just(-32002_i64), Just(-32601), Just(-32603), -31999_i64..40000],
        message in any::<String>(),
        data in object(),
    ) {
        let error = json!({"code": code, "message": message, "data": data}).to_string();
        let there = translated(&error, Era::Legacy, MODERN);
        prop_assert_eq!(value(translated(&there, Era::Modern, LEGACY)), value(&error));
    }

    #[test]
    fn errors_modern_to_legacy_and_back(
        code in prop_oneof![Just(-32602_i64), Just(-32601), -31999_i64..40000],
        message in any::<String>(),
    ) {
        let error = json!({"code": code, "message": message}).to_string();
        let there = translated(&error, Era::Modern, LEGACY);
        prop_assert_eq!(value(translated(&there, Era::Legacy, MODERN)), value(&error));
    }

    #[test]
    fn capabilities_there_and_back(capabilities in capabilities()) {
        let back = |revision| ClientCapabilities::read(&raw(capabilities.write(revision).as_str()));
        prop_assert_eq!(back(LEGACY), capabilities.clone());
        prop_assert_eq!(ClientCapabilities::from_bits(capabilities.to_bits()), capabilities.clone());
        let modern = back(MODERN);
        for capability in Capability::ALL {
            let expected = capabilities.has(capability) && capability != Capability::RootsListChanged;
            prop_assert_eq!(modern.has(capability), expected);
        }
        for revision in Revision::KNOWN {
            let older = back(revision);
            prop_assert_eq!(older.to_bits() & !capabilities.to_bits(), 0, "nothing is promised that was not declared");
        }
    }

    #[test]
    fn forms_there_and_back(message in any::<String>(), names in prop::collection::vec(any::<String>(), 0..5)) {
        let properties: Map<_, _> = names.into_iter().map(|name| (name, json!({"type": "string", "minLength": 1}))).collect();
        let schema = json!({"type": "object", "properties": properties});
        let form = json!({"mode": "form", "message": message, "requestedSchema": schema}).to_string();
        for way in [MODERN, LEGACY, Revision::V2025_06_18] {
            let there = rewritten(&form, way);
            for back in [MODERN, LEGACY] {
                prop_assert_eq!(value(rewritten(&there, back)), value(&form));
            }
        }
    }

    #[test]
    fn elicitations_by_url_there_and_back(message in any::<String>(), id in "[a-z0-9]{1,20}") {
        let legacy = json!({"mode": "url", "message": message, "url": "https://a.example/", "elicitationId": id}).to_string();
        let modern = rewritten(&legacy, MODERN);
        prop_assert!(!modern.contains("elicitationId"));
        prop_assert_eq!(value(rewritten(&rewritten(&modern, LEGACY), MODERN)), value(&modern));
        prop_assert_eq!(value(rewritten(&legacy, LEGACY)), value(&legacy));
    }
}
