//! The Secret: what was written is read back, and what is damaged is known for it.

use super::{days, founded, start};
use crate::certificates::{
    Damage, SECRET,
    rotation::{Authority, NOTICE, rotate},
    store::{read, usable, wanted},
};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, PKCS_ECDSA_P384_SHA384};

/// An authority with all three: one that has signed, one that signs, one that will.
fn rich() -> Authority {
    let worn = start() + days(500);
    let (announced, _) = rotate(Some(founded(start())), worn).unwrap();
    let (switched, _) = rotate(Some(announced), worn + NOTICE).unwrap();
    Authority { next: Some(founded(worn + days(1)).current), ..switched }
}

fn changed(authority: &Authority, key: &str, value: Option<&str>) -> Secret {
    let mut secret = wanted(None, authority);
    let data = secret.data.as_mut().unwrap();
    match value {
        Some(value) => data.insert(key.into(), ByteString(value.as_bytes().to_vec())),
        None => data.remove(key),
    };
    secret
}

#[test]
fn what_was_written_is_read_back_and_not_written_again() {
    for authority in [founded(start()), rich()] {
        let mut secret = wanted(None, &authority);
        assert_eq!(secret.metadata.name.as_deref(), Some(SECRET));
        assert_eq!(read(&secret).unwrap(), authority);
        // What the API server and others add is no difference.
        secret.metadata.resource_version = Some("7".into());
        secret.metadata.labels.get_or_insert_default().insert("team".into(), "a".into());
        assert_eq!(wanted(Some(secret.clone()), &read(&secret).unwrap()), secret);
    }
}

#[test]
fn the_secret_is_that_of_the_operator_and_holds_nothing_of_the_past() {
    let before = wanted(None, &rich());
    let keys = |secret: &Secret| secret.data.iter().flatten().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    assert_eq!(before.type_.as_deref(), Some("Opaque"));
    assert_eq!(before.metadata.labels.as_ref().unwrap()["app.kubernetes.io/managed-by"], "mcpfleet-operator");
    assert_eq!(keys(&before), ["ca.crt", "next.crt", "next.key", "tls.crt", "tls.key"]);
    assert_eq!(keys(&wanted(Some(before), &founded(start()))), ["ca.crt", "tls.crt", "tls.key"]);
}

#[test]
fn a_pair_that_cannot_sign_is_damage() {
    let (ours, theirs) = (founded(start()), founded(start()));
    let (certificate, foreign) = (ours.current.anchor.pem(), theirs.current.anchor.pem());
    let damage = |key, value| read(&changed(&ours, key, value)).unwrap_err();
    assert_eq!(damage("tls.crt", None), Damage::Missing("tls.crt"));
    assert_eq!(damage("tls.key", None), Damage::Missing("tls.key"));
    assert_eq!(damage("tls.key", Some(&theirs.current.key_pem)), Damage::KeyMismatch("tls.key"));
    assert_eq!(damage("tls.crt", Some(&foreign)), Damage::KeyMismatch("tls.key"));
    let other = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem();
    for (key, values) in [
        ("tls.crt", ["", "no PEM", &certificate[..200], ours.current.key_pem.as_str()]),
        ("tls.key", ["", "no PEM", &certificate, &other]),
    ] {
        for value in values {
            let damage = damage(key, Some(value));
            assert!(matches!(damage, Damage::Unreadable { what, .. } if what == key), "{key}: {damage:?}");
        }
    }
    assert_eq!(read(&Secret::default()), Err(Damage::Missing("tls.crt")));
}

#[test]
fn errors_say_nothing_of_a_key() {
    let ours = founded(start());
    let inside: String = ours.current.key_pem.lines().nth(1).unwrap().chars().take(16).collect();
    let half = &ours.current.key_pem[..ours.current.key_pem.len() / 2];
    let damage = read(&changed(&ours, "tls.key", Some(half))).unwrap_err();
    assert!(!format!("{damage} {damage:?} {ours:?}").contains(&inside), "{damage}");
}

#[test]
fn an_authority_of_somebody_else_is_damage() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let foreign = params.self_signed(&key).unwrap().pem();
    let mut secret = changed(&founded(start()), "tls.crt", Some(&foreign));
    secret.data.as_mut().unwrap().insert("tls.key".into(), ByteString(key.serialize_pem().into_bytes()));
    assert_eq!(read(&secret), Err(Damage::Foreign("tls.crt")));
}

#[test]
fn what_can_be_done_without_is_passed_over() {
    let whole = rich();
    for (key, value) in [("next.crt", None), ("next.key", None), ("next.key", Some("no PEM"))] {
        let found = read(&changed(&whole, key, value)).unwrap();
        assert_eq!((found.current, found.next), (whole.current.clone(), None), "{key}");
        // It may have been announced: who trusts it is not told otherwise.
        assert_eq!(found.previous.len(), 2, "{key}");
    }
    for bundle in
        [None, Some("no PEM"), Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    {
        let secret = changed(&whole, "ca.crt", bundle);
        let found = read(&secret).unwrap();
        assert_eq!(found, Authority { previous: Vec::new(), ..whole.clone() });
        assert_ne!(wanted(Some(secret.clone()), &found), secret, "the bundle is mended");
    }
}

#[test]
fn an_expired_authority_is_damage_unless_the_next_can_take_over() {
    let authority = founded(start());
    let end = authority.current.anchor.not_after;
    let secret = wanted(None, &authority);
    assert_eq!(usable(&secret, end), Err(Damage::Expired(end)));
    let next = Some(founded(start() + days(700)).current);
    let announced = Authority { next, ..authority };
    assert_eq!(usable(&wanted(None, &announced), end), Ok(announced));
}
