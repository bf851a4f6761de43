//! Frames: a message is one line of JSON; a configuration's bytes follow the line that announces them, as they
//! are, so that what was hashed is what arrives, and damage to it is damage to it alone.
//!
//! Sans-IO: bytes in, frames out.

use super::{Announced, Down, Up};
use crate::MAX_BYTES;
use serde::{Serialize, de::DeserializeOwned};

/// Longest line, in bytes. A report names each missing credential and upstream.
pub const MAX_LINE: usize = 1024 * 1024;

/// Why a stream cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// No end of line where one must be.
    #[error("a message is longer than {MAX_LINE} bytes")]
    LongLine,
    /// More bytes than a configuration may have.
    #[error("a configuration of {0} bytes is announced; {MAX_BYTES} are allowed")]
    LongConfig(u32),
}

/// One message and, behind [`Down::Config`], its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownFrame {
    /// Any message without bytes.
    Message(Down),
    /// A configuration.
    Config(Announced, Vec<u8>),
}

/// One line.
///
/// # Errors
/// None in practice: every message is representable in JSON.
pub fn line(message: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

/// Cuts bytes into lines and announced bodies.
#[derive(Debug, Default)]
struct Cutter {
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold no end of line.
    searched: usize,
}

impl Cutter {
    fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, BadFrame> {
        let end = self.buffer.iter().skip(self.searched).position(|byte| *byte == b'\n');
        match end.map(|end| end + self.searched) {
            Some(end) if end <= MAX_LINE => {
                self.searched = 0;
                let mut line = self.take(end + 1);
                line.pop();
                Ok(Some(line))
            }
            None if self.buffer.len() <= MAX_LINE => {
                self.searched = self.buffer.len();
                Ok(None)
            }
            _ => Err(BadFrame::LongLine),
        }
    }

    fn bytes(&mut self, length: usize) -> Option<Vec<u8>> {
        (self.buffer.len() >= length).then(|| self.take(length))
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(length);
        std::mem::replace(&mut self.buffer, rest)
    }
}

/// Reads what a runtime says.
#[derive(Debug, Default)]
pub struct UpDecoder(Cutter);

impl UpDecoder {
    /// More bytes have come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }

    /// The next message that is complete. One that this version does not know is passed over.
    ///
    /// # Errors
    /// [`BadFrame`]: the stream is to be closed.
    pub fn message(&mut self) -> Result<Option<Up>, BadFrame> {
        next_known(&mut self.0)
    }
}

/// Reads what the operator says.
#[derive(Debug, Default)]
pub struct DownDecoder {
    cutter: Cutter,
    announced: Option<Announced>,
}

impl DownDecoder {
    /// More bytes have come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.cutter.push(bytes);
    }

    /// The next frame that is complete. A message that this version does not know is passed over.
    ///
    /// # Errors
    /// [`BadFrame`]: the stream is to be closed.
    pub fn frame(&mut self) -> Result<Option<DownFrame>, BadFrame> {
        if self.announced.is_none() {
            match next_known(&mut self.cutter)? {
                Some(Down::Config(announced)) => {
                    if announced.length as usize > MAX_BYTES {
                        return Err(BadFrame::LongConfig(announced.length));
                    }
                    self.announced = Some(announced);
                }
                other => return Ok(other.map(DownFrame::Message)),
            }
        }
        let length = self.announced.as_ref().map_or(0, |announced| announced.length as usize);
        let Some(bytes) = self.cutter.bytes(length) else { return Ok(None) };
        Ok(self.announced.take().map(|announced| DownFrame::Config(announced, bytes)))
    }
}

fn next_known<M: DeserializeOwned>(cutter: &mut Cutter) -> Result<Option<M>, BadFrame> {
    while let Some(line) = cutter.line()? {
        if let Ok(message) = serde_json::from_slice(&line) {
            return Ok(Some(message));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ConfigHash, ServerName,
        stream::{Epoch, Hello, Report, Serving},
    };
    use proptest::prelude::*;

    fn frames(decoder: &mut DownDecoder) -> Vec<DownFrame> {
        std::iter::from_fn(|| decoder.frame().unwrap()).collect()
    }

    fn announced(bytes: &[u8]) -> Announced {
        let length = u32::try_from(bytes.len()).unwrap();
        Announced { revision: 7, hash: ConfigHash::of(bytes), length }
    }

    proptest! {
        #[test]
        fn frames_arrive_as_sent_however_the_bytes_are_cut(
            configs in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..5),
            cut in 1_usize..50,
        ) {
            let mut sent = vec![DownFrame::Message(Down::Welcome { epoch: Epoch { lease: 1, term: 2 } })];
            let mut wire = line(&Down::Welcome { epoch: Epoch { lease: 1, term: 2 } }).unwrap();
            for bytes in configs {
                let announced = announced(&bytes);
                wire.extend(line(&Down::Config(announced.clone())).unwrap());
                wire.extend(&bytes);
                sent.push(DownFrame::Config(announced, bytes));
                wire.extend(line(&Down::Serve(Serving::Draining)).unwrap());
                sent.push(DownFrame::Message(Down::Serve(Serving::Draining)));
            }
            let mut decoder = DownDecoder::default();
            let mut got = Vec::new();
            for chunk in wire.chunks(cut) {
                decoder.push(chunk);
                got.extend(frames(&mut decoder));
            }
            prop_assert_eq!(got, sent);
        }
    }

    #[test]
    fn messages_of_another_version_are_passed_over() {
        let mut decoder = UpDecoder::default();
        decoder.push(b"{\"dance\":{\"steps\":3}}\n{\"report\":{\"signals\":{\"queued\":4,\"mood\":1}}}\n");
        let Some(Up::Report(report)) = decoder.message().unwrap() else { panic!("no report") };
        assert_eq!((report.signals.queued, report.status), (4, None));
        let server = ServerName { namespace: "a".into(), name: "b".into() };
        let hello = Up::Hello(Hello { server, format: 1, version: "1".into(), peer: None });
        decoder.push(&line(&hello).unwrap());
        assert_eq!(decoder.message().unwrap(), Some(hello));
        decoder.push(&line(&Up::Report(Box::default())).unwrap());
        assert_eq!(decoder.message().unwrap(), Some(Up::Report(Box::<Report>::default())));
    }

    #[test]
    fn what_cannot_end_is_refused() {
        let mut decoder = UpDecoder::default();
        decoder.push(&vec![b' '; MAX_LINE + 1]);
        assert_eq!(decoder.message(), Err(BadFrame::LongLine));
        let mut decoder = DownDecoder::default();
        let long = Announced { length: u32::MAX, ..announced(b"") };
        decoder.push(&line(&Down::Config(long)).unwrap());
        assert_eq!(decoder.frame(), Err(BadFrame::LongConfig(u32::MAX)));
    }
}
