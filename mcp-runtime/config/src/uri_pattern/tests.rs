use super::*;
use proptest::prelude::*;

fn pattern(source: &str) -> UriPattern {
    source.parse().unwrap()
}

fn values(source: &str, uri: &str) -> Option<Vec<(String, String)>> {
    let pattern = pattern(source);
    let found = pattern.matches(uri)?;
    Some(found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn variables_are_found_and_decoded() {
    assert_eq!(values("orders://{id}", "orders://17"), Some(pairs(&[("id", "17")])));
    assert_eq!(
        values("test://template/{id}/data", "test://template/a%2Fb%20c/data"),
        Some(pairs(&[("id", "a/b c")]))
    );
    assert_eq!(values("f:{name}.{kind}.txt", "f:a.b.c.txt"), Some(pairs(&[("kind", "b.c"), ("name", "a")])));
}

#[test]
fn other_uris_do_not_match() {
    for uri in [
        "orders://",
        "orders://a/b",
        "orders://a?x",
        "orders://a#x",
        "order://a",
        "orders://%2",
        "orders://%FF",
    ] {
        assert_eq!(values("orders://{id}", uri), None, "{uri}");
    }
    assert_eq!(values("x://{a}/data", "x://1/dat"), None);
    assert_eq!(values("x://{a}", &format!("x://{}", "a".repeat(MAX_BYTES))), None);
}

#[test]
fn templates_that_could_be_read_in_two_ways_are_refused() {
    let error = |source: &str| source.parse::<UriPattern>().unwrap_err();
    assert_eq!(error("x://{a}{b}"), UriPatternError::NoEnd { name: "a".into() });
    assert_eq!(error("x://{a}b{c}"), UriPatternError::NoEnd { name: "a".into() });
    assert_eq!(error("x://{a}/{a}"), UriPatternError::Repeated { name: "a".into() });
    assert_eq!(error("{scheme}://a"), UriPatternError::Scheme);
    assert_eq!(error("x://a"), UriPatternError::NoVariable);
    for source in ["x://{a", "x://{}", "x://{+a}", "x://{a}}", "x://{a,b}", "x://{?a}"] {
        assert!(matches!(error(source), UriPatternError::Expression { .. }), "{source}");
    }
}

#[test]
fn only_absolute_uris_name_resources() {
    for good in ["orders://recent", "file:///a%20b", "urn:isbn:1", "ui://widget/app.html"] {
        assert_eq!(check_uri(good), Ok(()), "{good}");
    }
    for bad in ["", "recent", "/a", "x://a b", "x://ä", "x://%2", "x://{a}", "x://a\n"] {
        assert!(check_uri(bad).is_err(), "{bad:?}");
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

proptest! {
    /// With every character that is no letter or digit encoded, the way back gives what went in.
    #[test]
    fn what_was_expanded_is_found_again(a in ".{1,12}", b in ".{1,12}", between in "[-/.:;_~]{1,3}", behind in "(/[a-z]{0,4})?") {
        let source = format!("x://h/{{a}}{between}{{b}}{behind}");
        let Ok(pattern) = source.parse::<UriPattern>() else { return Ok(()) };
        let uri = format!("x://h/{}{between}{}{behind}", encoded(&a), encoded(&b));
        let found = pattern.matches(&uri).unwrap();
        prop_assert_eq!((&found["a"], &found["b"]), (&a, &b));
    }

    #[test]
    fn nothing_panics(source in "x:[a-b{}/%.é]{0,16}", uri in "x:[a-b/%.é2F]{0,16}") {
        if let Ok(pattern) = source.parse::<UriPattern>() {
            let _ = pattern.matches(&uri);
            prop_assert_eq!(pattern.to_string(), source);
        }
    }

    #[test]
    fn a_value_never_reaches_over_a_segment(uri in "x://[a-c/%2F]{0,16}") {
        if let Some(found) = pattern("x://{a}/{b}").matches(&uri) {
            prop_assert_eq!(uri.matches('/').count(), 3);
            prop_assert!(found.values().all(|value| !value.is_empty()));
        }
    }
}
