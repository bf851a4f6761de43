use mcpfleet_protocol::json::{MAX_DEPTH, MAX_OPEN_KEYS, ScanError, scan};

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn depth_is_bounded() {
    assert!(scan(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(scan(nested(MAX_DEPTH + 1).as_bytes()), Err(ScanError::TooDeep));
    assert_eq!(scan("[".repeat(1_000_000).as_bytes()), Err(ScanError::TooDeep));
    assert_eq!(scan(r#"{"a":"#.repeat(100_000).as_bytes()), Err(ScanError::TooDeep));
}

#[test]
fn a_repeated_key_is_refused_at_any_depth() {
    for text in [r#"{"a":1,"a":1}"#, r#"[{"x":{"a":1,"b":2,"a":3}}]"#, r#"{"":1,"":2}"#] {
        assert!(matches!(scan(text.as_bytes()), Err(ScanError::DuplicateKey(_))), "{text}");
    }
    assert!(scan(br#"{"a":{"a":{"a":1}},"b":{"a":1}}"#).is_ok());
}

#[test]
fn a_key_repeated_in_another_spelling_is_refused() {
    for text in [r#"{"name":1,"n\u0061me":2}"#, r#"{"a\/b":1,"a/b":2}"#, "{\"\\ud83d\\ude00\":1,\"😀\":2}"]
    {
        assert!(matches!(scan(text.as_bytes()), Err(ScanError::DuplicateKey(_))), "{text}");
    }
}

#[test]
fn a_repeated_key_is_found_among_many() {
    let keys: Vec<String> = (0..500).map(|n| format!("\"k{n}\":{n}")).collect();
    assert!(scan(format!("{{{}}}", keys.join(",")).as_bytes()).is_ok());
    let twice = format!("{{{},\"k17\":0}}", keys.join(","));
    assert_eq!(scan(twice.as_bytes()), Err(ScanError::DuplicateKey("k17".into())));
}

#[test]
fn the_number_of_open_keys_is_bounded() {
    let keys: Vec<String> = (0..=MAX_OPEN_KEYS).map(|n| format!("\"{n}\":0")).collect();
    assert_eq!(scan(format!("{{{}}}", keys.join(",")).as_bytes()), Err(ScanError::TooManyKeys));
    let objects = vec![r#"{"a":1,"b":2}"#; MAX_OPEN_KEYS].join(",");
    assert!(scan(format!("[{objects}]").as_bytes()).is_ok(), "closed objects do not count");
}

#[test]
fn invalid_utf8_is_refused() {
    assert_eq!(scan(b"{\"a\":\"\xff\"}"), Err(ScanError::NotUtf8(6)));
    assert_eq!(scan(b"\"\xc3"), Err(ScanError::NotUtf8(1)));
}

#[test]
fn what_is_not_json_is_refused_with_its_place() {
    for (text, at) in
        [("", 0), ("{", 1), ("[1,]", 3), ("{\"a\" 1}", 5), ("nul", 3), ("1 2", 2), ("\"\n\"", 1)]
    {
        assert_eq!(scan(text.as_bytes()), Err(ScanError::Malformed(at)), "{text:?}");
    }
    for text in
        ["01", "1.", ".5", "-", "+1", "1e", "1e+", "0x1", "NaN", "'a'", r#""\x""#, r#""\u12""#, "\u{feff}{}"]
    {
        assert!(matches!(scan(text.as_bytes()), Err(ScanError::Malformed(_))), "{text:?}");
    }
}

#[test]
fn half_a_surrogate_pair_is_refused() {
    for text in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#, r#""\ud800x""#] {
        assert!(matches!(scan(text.as_bytes()), Err(ScanError::Malformed(_))), "{text}");
    }
    assert!(scan(br#""\ud83d\ude00""#).is_ok());
}

#[test]
fn a_number_that_no_reader_holds_is_refused() {
    assert_eq!(scan(b"[1e999]"), Err(ScanError::NumberOutOfRange(1)));
    assert!(matches!(scan("9".repeat(400).as_bytes()), Err(ScanError::NumberOutOfRange(0))));
    assert!(scan(b"[1e308,-0,1.5E-3,123456789012345678901234567890]").is_ok());
}
