use super::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn template(source: &str) -> UriTemplate {
    source.parse().unwrap()
}

fn arguments(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn expand(source: &str, value: impl Into<Value>) -> Result<String, ExpandError> {
    template(source).expand(&arguments(&value.into()))
}

#[test]
fn path_and_query_are_filled() {
    let url =
        expand("http://shop/orders/{id}{?status,limit}", json!({"id": 17, "status": "a b", "limit": true}));
    assert_eq!(url.unwrap(), "http://shop/orders/17?status=a%20b&limit=true");
}

#[test]
fn undefined_query_variables_are_left_out() {
    assert_eq!(expand("http://shop/o{?a,b}", json!({"b": 1, "a": null})).unwrap(), "http://shop/o?b=1");
    assert_eq!(expand("http://shop/o{?a,b}", json!({})).unwrap(), "http://shop/o");
    assert_eq!(expand("http://shop/o?x=1{&a}", json!({"a": "é"})).unwrap(), "http://shop/o?x=1&a=%C3%A9");
}

#[test]
fn lists_are_joined_or_repeated() {
    let list = json!({"tag": ["a", "b,c"]});
    assert_eq!(expand("http://shop/o{?tag}", list.clone()).unwrap(), "http://shop/o?tag=a,b%2Cc");
    assert_eq!(expand("http://shop/o{?tag*}", list).unwrap(), "http://shop/o?tag=a&tag=b%2Cc");
}

#[test]
fn a_missing_path_argument_is_named() {
    assert_eq!(expand("http://shop/{id}", json!({})), Err(ExpandError::Missing { name: "id".into() }));
}

#[test]
fn dot_segments_and_nothing_are_refused_in_the_path() {
    for evil in ["..", ".", ""] {
        assert_eq!(
            expand("http://shop/orders/{id}", json!({"id": evil})),
            Err(ExpandError::PathShape { name: "id".into() }),
        );
    }
}

#[test]
fn a_value_cannot_complete_a_dot_segment() {
    let refused = Err(ExpandError::PathShape { name: "a".into() });
    assert_eq!(expand("http://shop/.{a}", json!({"a": "."})), refused);
    assert!(expand("http://shop/{a}{b}", json!({"a": ".", "b": "."})).is_err());
    assert_eq!(expand("http://shop/x?y={a}", json!({"a": ".."})).unwrap(), "http://shop/x?y=..");
    assert_eq!(expand("http://shop/x?y={a}", json!({"a": ""})).unwrap(), "http://shop/x?y=");
    assert_eq!("http://shop/a/%2E./{a}".parse::<UriTemplate>(), Err(TemplateError::DotSegment));
}

#[test]
fn spellings_that_move_the_host_are_refused() {
    let sources = [
        "http:/{host}/x",
        "http:///{host}/x",
        "http://\\/{host}/x",
        "http://\t/{host}/x",
        "HTTP://h/{a}",
        " http://h/",
    ];
    for source in sources {
        assert!(source.parse::<UriTemplate>().is_err(), "{source:?}");
    }
}

#[test]
fn forms_that_cannot_work_are_refused() {
    for source in
        ["http://h/x{&a}", "http://h/x?y=1{?a}", "http://h/{?a}/tail", "http://h/x{?a}{b}", "http://h/%2{a}"]
    {
        assert!(source.parse::<UriTemplate>().is_err(), "{source:?}");
    }
    assert_eq!(expand("http://h/x{?a}{&b}", json!({"a": 1, "b": 2})).unwrap(), "http://h/x?a=1&b=2");
}

#[test]
fn objects_are_refused_everywhere() {
    assert!(matches!(expand("http://shop/{id}", json!({"id": {}})), Err(ExpandError::Kind { .. })));
    assert!(matches!(expand("http://shop/a{?id}", json!({"id": {}})), Err(ExpandError::Kind { .. })));
    assert!(matches!(expand("http://shop/{id}", json!({"id": [1]})), Err(ExpandError::Kind { .. })));
}

#[test]
fn the_destination_is_fixed_text() {
    for source in ["http://{host}/x", "http://shop:{port}/x", "http://shop{path}"] {
        assert!(
            matches!(source.parse::<UriTemplate>(), Err(TemplateError::BeforePath { .. })),
            "{source}: {:?}",
            source.parse::<UriTemplate>()
        );
    }
    assert_eq!("http://me:pw@shop/x".parse::<UriTemplate>(), Err(TemplateError::UserInfo));
    assert!(matches!("ftp://shop/x".parse::<UriTemplate>(), Err(TemplateError::NotHttp { .. })));
    assert!(matches!(
        "/orders/{id}".parse::<UriTemplate>(),
        Err(TemplateError::BeforePath { .. } | TemplateError::NotHttp { .. })
    ));
}

#[test]
fn broken_expressions_are_refused() {
    assert!(matches!("http://shop/{id".parse::<UriTemplate>(), Err(TemplateError::Unclosed { .. })));
    assert!(matches!("http://shop/id}".parse::<UriTemplate>(), Err(TemplateError::Unopened { .. })));
    for source in ["http://shop/{}", "http://shop/{+id}", "http://shop/{a-b}", "http://shop/{?}"] {
        assert!(matches!(source.parse::<UriTemplate>(), Err(TemplateError::Expression { .. })), "{source}");
    }
    assert_eq!("http://shop/x#y".parse::<UriTemplate>(), Err(TemplateError::Fragment));
}

#[test]
fn variables_tell_which_are_required() {
    let template = template("http://shop/{id}{?a,b*}");
    assert_eq!(template.variables().into_iter().collect::<Vec<_>>(), ["a", "b", "id"]);
    assert_eq!(template.required().into_iter().collect::<Vec<_>>(), ["id"]);
}

proptest! {
    #[test]
    fn no_argument_changes_host_or_path_shape(value in any::<String>(), query in any::<String>()) {
        let made = expand("https://shop:8443/orders/{id}/items{?q}", json!({"id": value, "q": query}));
        if let Ok(url) = made {
            let url = url::Url::parse(&url).unwrap();
            prop_assert_eq!(url.host_str(), Some("shop"));
            prop_assert_eq!(url.port(), Some(8443));
            let segments: Vec<_> = url.path_segments().unwrap().collect();
            prop_assert_eq!(segments.len(), 3);
            prop_assert_eq!(segments[0], "orders");
            prop_assert_eq!(segments[2], "items");
            let pairs: Vec<_> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(pairs, vec![("q".to_owned(), query)]);
            prop_assert_eq!(url.fragment(), None);
        } else {
            prop_assert!(matches!(value.as_str(), "" | "." | ".."));
        }
    }

    #[test]
    fn no_template_lets_an_argument_choose_the_destination(
        source in "https?:[/\\\\ ]{1,3}[a-z@:.{}?#/%\\\\]{0,12}", a in any::<String>(), b in any::<String>(),
    ) {
        let Ok(template) = source.parse::<UriTemplate>() else { return Ok(()) };
        let origin = |value: &str| {
            let arguments = template.variables().into_iter().map(|name| (name.to_owned(), json!(value))).collect();
            template.expand(&arguments).ok().map(|url| url::Url::parse(&url).unwrap().origin())
        };
        if let (Some(a), Some(b)) = (origin(&a), origin(&b)) {
            prop_assert_eq!(a, b);
        }
    }

    #[test]
    fn no_text_panics_the_parser(source in any::<String>()) {
        let _ = source.parse::<UriTemplate>();
    }

    #[test]
    fn what_parses_is_written_back_the_same(source in "http://h/[a-z{}?&,*]{0,20}") {
        if let Ok(template) = source.parse::<UriTemplate>() {
            prop_assert_eq!(template.to_string(), source);
        }
    }
}
