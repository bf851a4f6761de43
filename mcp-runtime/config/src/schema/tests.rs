use super::*;
use serde_json::json;

fn refused(schema: &Value) -> SchemaError {
    ArgumentSchema::new(schema).map(|_| ()).unwrap_err()
}

#[test]
fn a_violation_says_where_and_what() {
    let schema = ArgumentSchema::new(&json!({
        "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}
    }))
    .unwrap();
    assert_eq!(schema.violations(&json!({"id": 7})), []);
    let wrong = schema.violations(&json!({"id": "seven"}));
    assert_eq!(wrong[0].pointer, "/id");
    assert!(wrong[0].message.contains("integer"), "{wrong:?}");
    assert!(schema.violations(&json!({}))[0].message.contains("id"));
}

#[test]
fn a_schema_that_is_no_schema_is_refused_with_its_place() {
    let error = refused(&json!({"type": "object", "properties": {"id": {"type": "integr"}}}));
    assert!(error.pointer.contains("/properties/id"), "{error:?}");
}

#[test]
fn a_schema_of_anything_but_an_object_is_refused() {
    assert!(refused(&json!({"type": "string"})).reason.contains("type: object"));
    assert!(refused(&json!([])).reason.contains("not a JSON object"));
}

#[test]
fn a_reference_that_leaves_the_document_is_refused() {
    refused(&json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/a.json"}}}));
    refused(&json!({"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}}));
}

#[test]
fn a_long_offending_value_is_cut_at_a_character() {
    let schema = ArgumentSchema::new(&json!({"type": "object", "additionalProperties": false})).unwrap();
    let text = schema.violations(&json!({"ä".repeat(1_000): 1}))[0].message.clone();
    assert!(text.chars().count() <= MAX_MESSAGE + 1);
}

fn object_with(properties: &Value) -> Value {
    json!({"type": "object", "properties": properties})
}

#[test]
fn patterns_that_would_need_much_memory_are_refused() {
    let bombs: serde_json::Map<_, _> =
        (0..300).map(|i| (format!("p{i}"), json!({"pattern": format!("^\\pL{{40}}x{i}$")}))).collect();
    assert!(refused(&object_with(&Value::Object(bombs))).reason.contains("patterns"));
    refused(&object_with(&json!({"a": {"pattern": "^(\\pL{100}){100}$"}})));
}

#[test]
fn references_that_multiply_are_refused() {
    let mut defs = serde_json::Map::new();
    for level in 0..30 {
        let next = json!({"$ref": format!("#/$defs/a{}", level + 1)});
        defs.insert(format!("a{level}"), json!({"allOf": [next, next]}));
    }
    defs.insert("a30".into(), json!({"type": "object"}));
    let schema = json!({"type": "object", "$defs": defs, "$ref": "#/$defs/a0"});
    assert!(refused(&schema).reason.contains("subschemas"), "{:?}", refused(&schema));
}

#[test]
fn a_schema_that_contains_itself_is_refused() {
    let tree = json!({"type": "object", "properties": {"child": {"$ref": "#"}}});
    assert!(refused(&tree).reason.contains("contains itself"));
}

#[test]
fn references_within_the_document_work() {
    let schema = json!({
        "type": "object",
        "properties": {"from": {"$ref": "#/$defs/place"}, "to": {"$ref": "#/$defs/place"}},
        "$defs": {"place": {"type": "string", "maxLength": 3}},
    });
    let schema = ArgumentSchema::new(&schema).unwrap();
    assert_eq!(schema.violations(&json!({"from": "FRA", "to": "TOO LONG"}))[0].pointer, "/to");
}

#[test]
fn deep_and_large_schemas_are_refused() {
    let deep = (0..40).fold(json!({}), |inner, _| json!({"properties": {"a": inner}}));
    assert!(refused(&object_with(&json!({"a": deep}))).reason.contains("deep"));
    let large = object_with(&json!({"a": {"description": "x".repeat(MAX_BYTES)}}));
    assert!(refused(&large).reason.contains("bytes"));
}

#[test]
fn a_long_chain_of_references_is_refused() {
    let mut defs: serde_json::Map<_, _> =
        (0..1_500).map(|i| (format!("a{i}"), json!({"$ref": format!("#/$defs/a{}", i + 1)}))).collect();
    defs.insert("a1500".into(), json!({}));
    let schema = json!({"type": "object", "$defs": defs, "$ref": "#/$defs/a0"});
    assert!(refused(&schema).reason.contains("chain"));
}
