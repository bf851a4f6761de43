use super::*;
use proptest::prelude::*;

const SESSION: Purpose = Purpose::Session;

fn key(epoch: u32) -> SessionKey {
    SessionKey { epoch, secret: [u8::try_from(epoch).unwrap(); 32] }
}

fn keyring(epochs: &[u32]) -> Arc<Keyring> {
    let keyring = Keyring::random().unwrap();
    let keys: Vec<SessionKey> = epochs.iter().copied().map(key).collect();
    keyring.set(&keys).unwrap();
    keyring
}

#[test]
fn what_one_replica_seals_another_opens_and_a_stranger_does_not() {
    let sealed = keyring(&[1]).seal(SESSION, b"state").unwrap();
    assert_eq!(keyring(&[1]).open(SESSION, &sealed).unwrap(), b"state");
    let stranger = Keyring::random().unwrap();
    assert_eq!(stranger.open(SESSION, &sealed), Err(Unsealable));
    stranger.set(&[SessionKey { epoch: 1, secret: [9; 32] }]).unwrap();
    assert_eq!(stranger.open(SESSION, &sealed), Err(Unsealable));
}

#[test]
fn a_process_without_shared_keys_opens_its_own_and_goes_on_to_when_it_gets_some() {
    let (one, other) = (Keyring::random().unwrap(), Keyring::random().unwrap());
    let early = one.seal(SESSION, b"early").unwrap();
    assert_eq!(other.open(SESSION, &early), Err(Unsealable));
    assert_eq!((one.epochs(), one.peer_seeds()), (vec![], vec![]), "nobody else could know it");
    one.set(&[key(1)]).unwrap();
    other.set(&[key(1)]).unwrap();
    assert_eq!(one.open(SESSION, &early).unwrap(), b"early");
    assert_eq!(other.open(SESSION, &early), Err(Unsealable));
    one.set(&[]).unwrap();
    let alone = one.seal(SESSION, b"alone").unwrap();
    assert_eq!(
        (one.open(SESSION, &alone).as_deref(), other.open(SESSION, &alone)),
        (Ok(&b"alone"[..]), Err(Unsealable))
    );
}

#[test]
fn keys_rotate_without_a_gap_whoever_learns_of_it_first() {
    let first = keyring(&[1]).seal(SESSION, b"one").unwrap();
    let (quick, slow) = (keyring(&[1, 2]), keyring(&[1, 2]));
    quick.set(&[key(2), key(1)]).unwrap();
    let second = quick.seal(SESSION, b"two").unwrap();
    assert_eq!(slow.open(SESSION, &second).unwrap(), b"two", "announced, it opens before it seals");
    assert_eq!(quick.open(SESSION, &first).unwrap(), b"one", "the previous one opens");
    quick.set(&[key(3), key(2)]).unwrap();
    assert_eq!(quick.open(SESSION, &first), Err(Unsealable), "an older one does not");
    assert_eq!(quick.open(SESSION, &second).unwrap(), b"two");
}

#[test]
fn only_other_keys_are_news() {
    let keyring = keyring(&[1]);
    let mut changed = keyring.changed();
    keyring.set(&[key(1)]).unwrap();
    assert!(!changed.has_changed().unwrap());
    keyring.set(&[key(2), key(1)]).unwrap();
    assert!(changed.has_changed().unwrap());
    changed.mark_unchanged();
    keyring.set(&[key(1), key(2)]).unwrap();
    assert!(changed.has_changed().unwrap(), "another one seals");
}

#[test]
fn lengths_are_bounded_on_both_sides() {
    let keyring = keyring(&[1]);
    let longest = keyring.seal(SESSION, &vec![7; MAX_PLAIN]).unwrap();
    assert!(longest.len() <= MAX_SEALED);
    assert_eq!(keyring.open(SESSION, &longest).unwrap().len(), MAX_PLAIN);
    let bytes = MAX_PLAIN + 1;
    assert_eq!(keyring.seal(SESSION, &vec![7; bytes]), Err(NotSealed::TooLong { bytes, most: MAX_PLAIN }));
    assert_eq!(keyring.open(SESSION, &"A".repeat(MAX_SEALED + 1)), Err(Unsealable));
}

#[test]
fn secrets_are_not_printed() {
    let keyring = keyring(&[65]);
    let printed = format!("{keyring:?} {:?}", keyring.peer_seeds());
    assert_eq!(printed, "Keyring { epochs: [65], .. } [Seed(..)]");
}

#[test]
fn each_use_of_a_key_has_a_secret_of_its_own() {
    let keyring = keyring(&[1, 2]);
    let seeds = keyring.peer_seeds();
    assert_eq!(seeds.len(), 2);
    assert!(
        seeds[0] != seeds[1] && seeds.iter().all(|seed| seed.0 != key(1).secret && seed.0 != key(2).secret)
    );
    assert_eq!(seeds, self::keyring(&[1, 2]).peer_seeds(), "every replica comes to the same");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn everything_comes_back_as_it_was(plain in prop::collection::vec(any::<u8>(), 0..500)) {
        let keyring = keyring(&[1]);
        let sealed = keyring.seal(SESSION, &plain).unwrap();
        prop_assert!(sealed.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert!(sealed.len() <= MAX_SEALED);
        prop_assert_eq!(keyring.open(SESSION, &sealed), Ok(plain.clone()));
        prop_assert_ne!(keyring.seal(SESSION, &plain).unwrap(), sealed, "equal states look different");
    }

    #[test]
    fn any_flipped_bit_and_any_other_end_is_refused(
        plain in prop::collection::vec(any::<u8>(), 0..40), at in any::<prop::sample::Index>(), more in "[A-Za-z0-9_=-]{1,5}",
    ) {
        let keyring = keyring(&[1]);
        let sealed = keyring.seal(SESSION, &plain).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(keyring.open(SESSION, &URL_SAFE_NO_PAD.encode(flipped)), Err(Unsealable), "bit {}", bit);
        }
        prop_assert_eq!(keyring.open(SESSION, &sealed[..at.index(sealed.len())]), Err(Unsealable));
        prop_assert_eq!(keyring.open(SESSION, &format!("{sealed}{more}")), Err(Unsealable));
    }

    #[test]
    fn a_purpose_cannot_be_swapped(plain in prop::collection::vec(any::<u8>(), 0..40)) {
        let keyring = keyring(&[1]);
        for (sealed_for, opened_for) in [(SESSION, Purpose::RequestState), (Purpose::RequestState, SESSION)] {
            let sealed = keyring.seal(sealed_for, &plain).unwrap();
            prop_assert_eq!(keyring.open(opened_for, &sealed), Err(Unsealable));
        }
    }

    #[test]
    fn whatever_a_client_sends_is_refused_and_nothing_breaks(text in "\\PC{0,120}", epoch in 0_u32..3) {
        let keyring = keyring(&[1]);
        prop_assert_eq!(keyring.open(SESSION, &text), Err(Unsealable));
        let forged = [&head(epoch)[..], text.as_bytes()].concat();
        prop_assert_eq!(keyring.open(SESSION, &URL_SAFE_NO_PAD.encode(forged)), Err(Unsealable));
    }
}
