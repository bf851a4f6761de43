//! The Secret: what was written is read back, and what is damaged is passed over and told.

use super::{founded, rich, start};
use crate::sessions::{
    SECRET,
    store::{Damage, master, read, wanted},
};
use k8s_openapi::{ByteString, api::core::v1::Secret};

#[test]
fn what_was_written_is_read_back_and_labels_of_others_stay() {
    for masters in [founded(start()), rich(start())] {
        let mut secret = wanted(None, &masters);
        assert_eq!(
            (secret.metadata.name.as_deref(), secret.type_.as_deref()),
            (Some(SECRET), Some("Opaque"))
        );
        assert_eq!(read(&secret), masters);
        secret.metadata.resource_version = Some("7".into());
        secret.metadata.labels.get_or_insert_default().insert("team".into(), "a".into());
        assert_eq!(wanted(Some(secret.clone()), &read(&secret)), secret);
    }
}

#[test]
fn an_epoch_that_was_dropped_leaves_nothing() {
    let masters = rich(start());
    let after = wanted(Some(wanted(None, &masters)), &masters[1..]);
    let names: Vec<&String> = after.data.as_ref().unwrap().keys().collect();
    assert_eq!(names, ["key.2", "key.3", "made.2", "made.3"]);
}

#[test]
fn tens_come_after_nines() {
    let made = |epoch| super::Master::make(epoch, start()).unwrap();
    let masters = vec![made(9), made(10)];
    assert_eq!(read(&wanted(None, &masters)), masters);
}

#[test]
fn damage_costs_the_epoch_and_no_other() {
    let masters = rich(start());
    for (name, value, said) in [
        ("key.2", &b"short"[..], Damage::Length(2)),
        ("made.2", b"yesterday", Damage::Time(2)),
        ("made.2", &[0xff], Damage::Time(2)),
    ] {
        let mut secret = wanted(None, &masters);
        let data = secret.data.as_mut().unwrap();
        data.insert(name.into(), ByteString(value.to_vec()));
        assert_eq!(master(data, "2", &data["key.2"]), Err(said), "{name}");
        assert_eq!(read(&secret), [masters[0].clone(), masters[2].clone()]);
    }
    let mut secret = wanted(None, &masters);
    for epoch in ["0", "", "-1", "01", "x", "4294967296"] {
        let data = secret.data.as_mut().unwrap();
        data.insert(format!("key.{epoch}"), ByteString(vec![0; 32]));
        assert!(matches!(master(data, epoch, &data["key.1"]), Err(Damage::Epoch(_))), "{epoch}");
    }
    assert_eq!(read(&secret), masters);
    assert_eq!(read(&Secret::default()), []);
}
