use super::*;
use std::{fs, os::unix::fs::symlink};

fn name(secret: &str, key: &str) -> CredentialRef {
    CredentialRef { secret: secret.into(), key: key.into() }
}

fn bearer(from: &CredentialRef) -> HeaderValue {
    HeaderValue::Credential { prefix: "Bearer ".into(), from: from.clone() }
}

/// A Secret as the kubelet mounts it: `token -> ..data/token`, `..data -> <version>`.
fn mount(root: &std::path::Path, secret: &str, version: &str, value: &str) {
    let dir = root.join(secret);
    fs::create_dir_all(dir.join(version)).unwrap();
    fs::write(dir.join(version).join("token"), value).unwrap();
    let _ = fs::remove_file(dir.join("..data"));
    symlink(version, dir.join("..data")).unwrap();
    if !dir.join("token").exists() {
        symlink("..data/token", dir.join("token")).unwrap();
    }
}

#[test]
fn a_mounted_secret_is_read_through_its_links_and_again_after_a_swap() {
    let root = tempfile::tempdir().unwrap();
    let token = name("github", "token");
    let load = || Credentials::load(&Source::Directory(root.path().into()), &BTreeSet::from([&token]));
    mount(root.path(), "github", "..v1", "first\n");
    assert_eq!(load().header_value(&bearer(&token)).unwrap().unwrap(), "Bearer first");
    mount(root.path(), "github", "..v2", "second");
    assert_eq!(load().header_value(&bearer(&token)).unwrap().unwrap(), "Bearer second");
}

#[test]
fn absent_empty_oversized_and_escaping_names_are_missing() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("here")).unwrap();
    fs::write(root.path().join("here/empty"), "\n").unwrap();
    fs::write(root.path().join("here/large"), vec![b'x'; 1024 * 1024 + 1]).unwrap();
    fs::write(root.path().join("outside"), "secret").unwrap();
    let names =
        [name("here", "empty"), name("here", "large"), name("gone", "key"), name("here", "../outside")];
    let loaded = Credentials::load(&Source::Directory(root.path().into()), &names.iter().collect());
    assert_eq!(loaded.missing(), &names.iter().cloned().collect());
    let error = loaded.header_value(&bearer(&names[2])).unwrap_err();
    assert!(error.to_string().contains("Secret gone, key key"), "{error}");
}

#[test]
fn given_values_come_before_the_environment() {
    let (token, path) = (name("my-secret", "api.token"), name("x", "y"));
    let values = Source::Values(BTreeMap::from([(token.clone(), Secret(b"given".to_vec()))]));
    let loaded = Credentials::load(&values, &BTreeSet::from([&token, &path]));
    assert_eq!(loaded.header_value(&bearer(&token)).unwrap().unwrap(), "Bearer given");
    assert_eq!(loaded.missing(), &BTreeSet::from([path]));
    assert_eq!(read::variable(&token), "MCPFLEET_SECRET_MY_SECRET_API_TOKEN");
}

#[test]
fn a_credential_is_never_printed() {
    let token = name("s", "k");
    let values = Source::Values(BTreeMap::from([(token.clone(), Secret(b"hunter2".to_vec()))]));
    let loaded = Credentials::load(&values, &BTreeSet::from([&token]));
    let value = loaded.header_value(&bearer(&token)).unwrap().unwrap();
    assert!(!format!("{loaded:?} {value:?}").contains("hunter2"));
}

#[test]
fn a_value_that_no_header_carries_is_refused_without_repeating_it() {
    let token = name("s", "k");
    let values = Source::Values(BTreeMap::from([(token.clone(), Secret(b"hunter2\nX: y".to_vec()))]));
    let loaded = Credentials::load(&values, &BTreeSet::from([&token]));
    let error = loaded.header_value(&bearer(&token)).unwrap_err();
    assert_eq!(error, Missing::NotAHeaderValue(token));
    assert!(!error.to_string().contains("hunter2"));
    assert_eq!(loaded.header_value(&HeaderValue::Literal("a\nb".into())), Err(Missing::BadLiteral));
}
