use super::*;
use proptest::prelude::*;

const LIMIT: usize = 1024;

fn render(source: &str, value: &str) -> String {
    source.parse::<TextTemplate>().unwrap().render(LIMIT, |_| Some(value)).unwrap()
}

#[test]
fn placeholders_are_replaced_and_other_braces_are_text() {
    assert_eq!(render("Dear {{ name }},\n{{name}}!", "Ada"), "Dear Ada,\nAda!");
    assert_eq!(render(r#"{"a": {"b": 1}} {x} }}"#, "?"), r#"{"a": {"b": 1}} {x} }}"#);
    assert_eq!(render(r"write \{{name}} for {{name}}", "Ada"), "write {{name}} for Ada");
}

#[test]
fn what_is_missing_leaves_nothing() {
    let template: TextTemplate = "a{{x}}b".parse().unwrap();
    assert_eq!(template.render(LIMIT, |_| None).unwrap(), "ab");
    assert_eq!(template.placeholders().into_iter().collect::<Vec<_>>(), ["x"]);
}

#[test]
fn broken_templates_are_refused_with_their_place() {
    let error = |source: &str| source.parse::<TextTemplate>().unwrap_err();
    assert_eq!(error("ab {{x"), TextTemplateError::Unclosed { at: 3 });
    for source in ["{{}}", "{{ a b }}", "{{{x}}}", "{{x|upper}}", "{{ä}}"] {
        assert!(matches!(error(source), TextTemplateError::Name { .. }), "{source}");
    }
    assert_eq!(error(&"{{x}}".repeat(257)), TextTemplateError::TooMany);
    assert_eq!(error(&"x".repeat(MAX_BYTES + 1)), TextTemplateError::TooLong { bytes: MAX_BYTES + 1 });
    assert!(error("{{x").to_string().contains(r"write \{{"), "{}", error("{{x"));
}

#[test]
fn a_value_that_is_repeated_stays_within_the_limit() {
    let template: TextTemplate = "{{x}}".repeat(4).parse().unwrap();
    let value = "y".repeat(256);
    assert_eq!(template.render(1024, |_| Some(&value)).unwrap().len(), 1024);
    assert_eq!(template.render(1023, |_| Some(&value)), Err(TooLong { limit: 1023 }));
}

proptest! {
    #[test]
    fn a_value_is_never_read_as_template(value in any::<String>(), name in "[a-z{}\\\\]{0,6}") {
        let template: TextTemplate = "<{{a}}{{b}}>".parse().unwrap();
        let injected = format!("{{{{{name}}}}}{value}");
        let made = template.render(usize::MAX, |_| Some(&injected)).unwrap();
        prop_assert_eq!(made, format!("<{injected}{injected}>"));
    }

    #[test]
    fn no_text_panics_and_what_parses_is_written_back(source in "[a-c{} \\\\é]{0,24}") {
        if let Ok(template) = source.parse::<TextTemplate>() {
            prop_assert_eq!(template.to_string(), source);
            for name in template.placeholders() {
                prop_assert!(is_name(name));
            }
        }
    }

    #[test]
    fn text_without_double_braces_is_itself(source in "[^{]{0,64}") {
        prop_assert_eq!(render(&source, "?"), source);
    }
}
