use super::*;
use crate::identity::oauth::jwks::KeySet;
use jsonwebtoken::{EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use serde_json::json;

struct Signing {
    pair: KeyPair,
    algorithm: Algorithm,
}

impl Signing {
    fn new(algorithm: Algorithm) -> Self {
        let kind = if algorithm == Algorithm::EdDSA { &PKCS_ED25519 } else { &PKCS_ECDSA_P256_SHA256 };
        Self { pair: KeyPair::generate_for(kind).unwrap(), algorithm }
    }

    fn jwk(&self) -> Value {
        let raw = self.pair.public_key_raw();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self.algorithm {
            Algorithm::EdDSA => json!({"kty": "OKP", "crv": "Ed25519", "x": text(raw), "kid": "k"}),
            _ => {
                json!({"kty": "EC", "crv": "P-256", "x": text(&raw[1..33]), "y": text(&raw[33..]), "kid": "k"})
            }
        }
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        let der = self.pair.serialize_der();
        let key = match self.algorithm {
            Algorithm::EdDSA => EncodingKey::from_ed_der(&der),
            _ => EncodingKey::from_ec_der(&der),
        };
        encode(header, claims, &key).unwrap()
    }

    fn header(&self) -> Header {
        Header { kid: Some("k".into()), ..Header::new(self.algorithm) }
    }
}

fn issuer() -> Issuer {
    Issuer {
        issuer: "https://idp".into(),
        audiences: vec!["shop".into(), "https://shop".into()],
        jwks_uri: None,
        tenant_claim: Some("org".into()),
        user_claim: "sub".into(),
        agent_claim: None,
        scopes_claim: None,
        algorithms: vec![TokenAlgorithm::ES256, TokenAlgorithm::EdDSA],
    }
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

fn claims(change: &Value) -> Value {
    let mut claims =
        json!({"iss": "https://idp", "aud": "shop", "sub": "alice", "org": "acme", "exp": now() + 600});
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn verify(token: &str, issuer: &Issuer, keys: &[Value]) -> Result<Principal, TokenError> {
    let claimed = Claimed::read(token)?;
    if claimed.issuer != issuer.issuer {
        return Err(TokenError::ForeignIssuer);
    }
    claimed.check_algorithm(issuer)?;
    let set = KeySet::read(json!({"keys": keys}).to_string().as_bytes()).unwrap();
    let key = set.find(claimed.kid.as_deref(), claimed.algorithm).ok_or(TokenError::UnknownKey)?;
    claimed.verify(token, issuer, &key)
}

fn with_claims(change: &Value) -> Result<Principal, TokenError> {
    let signing = Signing::new(Algorithm::ES256);
    verify(&signing.sign(&signing.header(), &claims(change)), &issuer(), &[signing.jwk()])
}

#[test]
fn a_good_token_says_who_calls() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let signing = Signing::new(algorithm);
        let good = claims(&json!({"scope": "read  write", "aud": ["other", "https://shop"], "sub": 17}));
        let token = signing.sign(&signing.header(), &good);
        let caller = verify(&token, &issuer(), &[signing.jwk()]).unwrap();
        assert_eq!((caller.tenant.as_deref(), caller.user.as_deref()), (Some("acme"), Some("17")));
        assert!(caller.may_use(&["read".into(), "write".into()], "t") && !caller.scopes.contain(""));
        assert_eq!(caller.token, Some(Secret(token.into_bytes())));
    }
}

#[test]
fn claims_that_are_wrong_are_refused_each_with_its_reason() {
    let past = json!({"exp": now() - 600});
    for (change, why) in [
        (past, TokenError::Expired),
        (json!({"nbf": now() + 600}), TokenError::NotYet),
        (json!({"aud": "other"}), TokenError::WrongAudience),
        (json!({"aud": ["a", "b"]}), TokenError::WrongAudience),
        (json!({"iss": "https://idp/"}), TokenError::ForeignIssuer),
        (json!({"iss": ["https://idp"]}), TokenError::Malformed),
        (json!({"exp": null}), TokenError::MissingClaim("exp".into())),
        (json!({"exp": "soon"}), TokenError::MissingClaim("exp".into())),
        (json!({"aud": null}), TokenError::MissingClaim("aud".into())),
        (json!({"org": null}), TokenError::MissingClaim("org".into())),
        (json!({"org": ""}), TokenError::MissingClaim("org".into())),
        (json!({"org": {"a": 1}}), TokenError::MissingClaim("org".into())),
        (json!({"sub": "x".repeat(600)}), TokenError::MissingClaim("sub".into())),
    ] {
        assert_eq!(with_claims(&change), Err(why), "{change}");
    }
    assert!(with_claims(&json!({"exp": now() - 5})).is_ok(), "clocks differ a little");
}

#[test]
fn scopes_come_from_the_claim_that_is_said_or_the_usual_ones() {
    let has = |change: Value| with_claims(&change).unwrap().scopes.contain("read");
    assert!(has(json!({"scope": "read"})) && has(json!({"scp": ["read"]})) && has(json!({"scp": "a read"})));
    assert!(!has(json!({"scope": "", "scp": "read"})), "an empty list is a list");
    let issuer = Issuer { scopes_claim: Some("roles".into()), ..issuer() };
    let signing = Signing::new(Algorithm::ES256);
    let token = signing.sign(&signing.header(), &claims(&json!({"scope": "read", "roles": ["write"]})));
    let caller = verify(&token, &issuer, &[signing.jwk()]).unwrap();
    assert!(caller.scopes.contain("write") && !caller.scopes.contain("read"));
}

#[test]
fn forged_tokens_are_refused() {
    let (ours, theirs) = (Signing::new(Algorithm::ES256), Signing::new(Algorithm::ES256));
    let good = ours.sign(&ours.header(), &claims(&json!({})));
    let check = |token: &str| verify(token, &issuer(), &[ours.jwk()]);
    assert_eq!(check(&theirs.sign(&theirs.header(), &claims(&json!({})))), Err(TokenError::BadSignature));
    let part = |at: usize| good.split('.').nth(at).unwrap();
    let stronger = URL_SAFE_NO_PAD.encode(claims(&json!({"sub": "root"})).to_string());
    assert_eq!(check(&format!("{}.{stronger}.{}", part(0), part(2))), Err(TokenError::BadSignature));
    assert_eq!(check(&format!("{}.{}.", part(0), part(1))), Err(TokenError::BadSignature));
    // Nothing is signed, or with what everybody knows.
    for algorithm in ["none", "NONE", "nOnE"] {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": algorithm, "typ": "JWT"}).to_string());
        assert_eq!(check(&format!("{header}.{}.", part(1))), Err(TokenError::WrongAlgorithm));
    }
    let public = EncodingKey::from_secret(ours.pair.public_key_raw());
    let symmetric = Header { kid: Some("k".into()), ..Header::new(Algorithm::HS256) };
    let confused = encode(&symmetric, &claims(&json!({})), &public).unwrap();
    assert_eq!(check(&confused), Err(TokenError::WrongAlgorithm));
    for odd in ["", "a", "a.b", "a.b.c", "a.b.c.d", "..", "💥.💥.💥"] {
        assert_eq!(check(odd), Err(TokenError::Malformed), "{odd}");
    }
}

#[test]
fn headers_decide_nothing() {
    let ours = Signing::new(Algorithm::ES256);
    let check = |header: &Header| {
        verify(&ours.sign(header, &claims(&json!({}))), &issuer(), &[ours.jwk()]).map(|_| ())
    };
    let typed = |typ: Option<&str>| Header { typ: typ.map(ToOwned::to_owned), ..ours.header() };
    for typ in [None, Some("JWT"), Some("at+jwt"), Some("application/AT+JWT")] {
        assert_eq!(check(&typed(typ)), Ok(()), "{typ:?}");
    }
    assert_eq!(check(&typed(Some("dpop+jwt"))), Err(TokenError::WrongType));
    assert_eq!(check(&Header { crit: Some(vec!["b64".into()]), ..ours.header() }), Err(TokenError::Critical));
    assert_eq!(check(&Header { kid: Some("other".into()), ..ours.header() }), Err(TokenError::UnknownKey));
    assert_eq!(check(&Header { kid: None, ..ours.header() }), Ok(()));
    // A key that the token brings along is not looked at.
    let theirs = Signing::new(Algorithm::ES256);
    let jwk = serde_json::from_value(theirs.jwk()).unwrap();
    let token = theirs.sign(&Header { jwk: Some(jwk), ..theirs.header() }, &claims(&json!({})));
    assert_eq!(verify(&token, &issuer(), &[ours.jwk()]), Err(TokenError::BadSignature));
    let only_ed = Issuer { algorithms: vec![TokenAlgorithm::EdDSA], ..issuer() };
    let token = ours.sign(&ours.header(), &claims(&json!({})));
    assert_eq!(verify(&token, &only_ed, &[ours.jwk()]), Err(TokenError::WrongAlgorithm));
}

proptest::proptest! {
    /// Whatever comes, it ends in a reason and not in a panic; and no change of a byte goes unnoticed.
    #[test]
    fn any_text_is_refused(text in ".{0,200}", parts in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}") {
        for token in [text, parts] {
            proptest::prop_assert!(verify(&token, &issuer(), &[]).is_err());
        }
    }
}
