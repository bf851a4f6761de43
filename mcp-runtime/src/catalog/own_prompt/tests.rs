use super::*;
use proptest::prelude::*;

fn prompt(arguments: &Value, messages: &Value) -> OwnPrompt {
    let config =
        json!({"name": "greet", "description": "Greets.", "arguments": arguments, "messages": messages});
    let resource = json!({
        "name": "policy", "mimeType": "text/plain",
        "address": {"fixed": {"uri": "shop://policy", "content": {"text": "30 days {{who}}"}}},
    });
    let resource = OwnResource::new(&serde_json::from_value(resource).unwrap());
    OwnPrompt::new(&serde_json::from_value(config).unwrap(), &[resource]).unwrap()
}

fn greeting() -> OwnPrompt {
    prompt(
        &json!([
            {"name": "who", "title": "Who", "required": true, "values": ["Ada"]}, {"name": "tone", "required": false},
        ]),
        &json!([{"role": "user", "content": {"text": "Greet {{who}}{{tone}}."}}]),
    )
}

fn rendered(prompt: &OwnPrompt, arguments: &Value) -> Result<Value, String> {
    let made = prompt.render(arguments.as_object().unwrap()).map_err(|problems| problems.to_string())?;
    Ok(serde_json::from_str(made.as_str()).unwrap())
}

#[test]
fn the_definition_is_what_mcp_lists() {
    let definition: Value = serde_json::from_str(greeting().definition().as_str()).unwrap();
    let arguments =
        json!([{"name": "who", "title": "Who", "required": true}, {"name": "tone", "required": false}]);
    assert_eq!(definition, json!({"name": "greet", "description": "Greets.", "arguments": arguments}));
}

#[test]
fn arguments_fill_their_places() {
    let text = |made: Value| made[0]["content"]["text"].as_str().map(String::from);
    let both = rendered(&greeting(), &json!({"who": "Ada", "tone": " warmly"})).unwrap();
    assert_eq!(both[0]["role"], "user");
    assert_eq!(text(both).as_deref(), Some("Greet Ada warmly."));
    assert_eq!(text(rendered(&greeting(), &json!({"who": "Ada"})).unwrap()).as_deref(), Some("Greet Ada."));
}

#[test]
fn what_is_embedded_comes_as_content_blocks() {
    let made = rendered(
        &prompt(
            &json!([{"name": "who", "required": true}]),
            &json!([
                {"role": "assistant", "content": {"resource": {"uri": "shop://policy"}}},
                {"role": "user", "content": {"image": {"data": "aGk=", "mimeType": "image/png"}}},
            ]),
        ),
        &json!({"who": "Ada"}),
    );
    let resource = json!({"uri": "shop://policy", "mimeType": "text/plain", "text": "30 days {{who}}"});
    assert_eq!(
        made.unwrap(),
        json!([
            {"role": "assistant", "content": {"type": "resource", "resource": resource}},
            {"role": "user", "content": {"type": "image", "data": "aGk=", "mimeType": "image/png"}},
        ])
    );
}

#[test]
fn wrong_arguments_are_named() {
    assert_eq!(
        rendered(&greeting(), &json!({"tone": 1, "whom": "x"})).unwrap_err(),
        "prompt \"greet\": argument \"who\" is required; argument \"tone\" is no string; \
         there is no argument \"whom\"; prompts/list says which it takes"
    );
    let many: Map<String, Value> =
        (0..100).map(|i| (format!("{i}{}", "x".repeat(1_000)), json!(1))).collect();
    let problems = greeting().render(&many).unwrap_err();
    assert_eq!(problems.problems.len(), MAX_PROBLEMS);
    assert!(problems.to_string().len() < 1_024);
}

#[test]
fn an_argument_that_is_repeated_too_often_is_refused() {
    let many = prompt(
        &json!([{"name": "a", "required": true}]),
        &json!([{"role": "user", "content": {"text": "{{a}}".repeat(200)}}]),
    );
    let problems = many.render(&Map::from_iter([("a".into(), json!("x".repeat(10_000)))])).unwrap_err();
    assert_eq!(problems.problems, [Problem::TooLong]);
}

proptest! {
    #[test]
    fn an_argument_stays_what_it_is(who in any::<String>(), name in "who|tone|[a-z]{1,4}") {
        let value = format!("{{{{{name}}}}}\\{{{{{who}");
        let made = rendered(&greeting(), &json!({"who": value, "tone": "{{who}}"})).unwrap();
        let expected = format!("Greet {value}{{{{who}}}}.");
        prop_assert_eq!(made[0]["content"]["text"].as_str(), Some(expected.as_str()));
        prop_assert_eq!(made.as_array().unwrap().len(), 1);
    }
}
