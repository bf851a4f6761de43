//! One conversation with the operator, from its welcome to its end.

use super::{
    agenda::{Agenda, Changed, moved},
    dial::{self, Stream},
    draining::Draining,
    teller::Teller,
};
use crate::{admin::status, reload::push::Push};
use anyhow::Context;
use http_body_util::BodyExt as _;
use mcpfleet_config::stream::{
    Announced, Down, Epoch, Report, SILENCE, Up,
    codec::{self, DownDecoder, DownFrame},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};

/// An open stream on which we have introduced ourselves.
pub struct Session {
    stream: Stream,
    decoder: DownDecoder,
    agenda: Agenda,
    /// What the operator was told last. Its status is always there.
    told: Report,
}

impl Session {
    /// `told` is what the introduction said.
    pub fn new(stream: Stream, told: Report) -> Self {
        Self { stream, decoder: DownDecoder::default(), agenda: Agenda::new(Instant::now()), told }
    }

    /// Waits for the operator's first word.
    ///
    /// # Errors
    /// When it is none, or does not come.
    pub async fn welcome(&mut self) -> anyhow::Result<Epoch> {
        let frame = timeout(dial::TIMEOUT, self.frame()).await.context("it does not say welcome")??;
        match frame {
            DownFrame::Message(Down::Welcome { epoch }) => Ok(epoch),
            _ => anyhow::bail!("it does not begin with a welcome"),
        }
    }

    /// Talks until that fails, and says why.
    pub async fn run(
        mut self,
        teller: &Teller,
        pushes: &mpsc::Sender<Push>,
        draining: &mut Draining,
    ) -> anyhow::Error {
        self.rest(teller);
        loop {
            if let Err(why) = self.step(teller, pushes, draining).await {
                return why;
            }
        }
    }

    async fn step(
        &mut self,
        teller: &Teller,
        pushes: &mpsc::Sender<Push>,
        draining: &mut Draining,
    ) -> anyhow::Result<()> {
        let due = self.agenda.due();
        let news = &teller.shared.news;
        tokio::select! {
            frame = self.frame() => match frame? {
                DownFrame::Config(announced, bytes) => self.take(teller, pushes, announced, bytes).await,
                DownFrame::Message(Down::Serve(serving)) => {
                    draining.serve(serving);
                    Ok(())
                }
                DownFrame::Message(Down::Keys { keys }) => {
                    teller.shared.keys.set(&keys)?;
                    tracing::info!(epochs = ?teller.shared.keys.epochs(), "session keys received");
                    Ok(())
                }
                DownFrame::Message(Down::Peers { replicas }) => {
                    if let Some(peers) = &teller.shared.peers {
                        peers.set_others(replicas);
                    }
                    Ok(())
                }
                // A second welcome says nothing new, and bytes come with their announcement.
                DownFrame::Message(Down::Welcome { .. } | Down::Config(_)) => Ok(()),
            },
            () = news.arrive() => {
                self.agenda.hear(news.take(), Instant::now());
                Ok(())
            }
            () = sleep_until(due) => self.look(teller).await,
        }
    }

    /// The next frame. Cancellation safe.
    async fn frame(&mut self) -> anyhow::Result<DownFrame> {
        loop {
            if let Some(frame) = self.decoder.frame()? {
                return Ok(frame);
            }
            let piece = self.stream.down.frame().await.context("it has closed the stream")??;
            if let Ok(bytes) = piece.into_data() {
                self.decoder.push(&bytes);
            }
        }
    }

    /// Has a configuration applied, and acknowledges what came of it.
    async fn take(
        &mut self,
        teller: &Teller,
        pushes: &mpsc::Sender<Push>,
        announced: Announced,
        bytes: Vec<u8>,
    ) -> anyhow::Result<()> {
        let (done, applied) = oneshot::channel();
        pushes.send(Push { announced, bytes, done }).await?;
        applied.await?;
        let now = Instant::now();
        let status = Some(status::only(&teller.shared, &teller.readiness));
        let report = Report { status, signals: teller.signals(now) };
        self.agenda.sent(now, moved(&self.told.signals, &report.signals));
        self.send(report).await?;
        self.rest(teller);
        Ok(())
    }

    /// Reports if there is anything to say.
    async fn look(&mut self, teller: &Teller) -> anyhow::Result<()> {
        let now = Instant::now();
        let status = Some(status::only(&teller.shared, &teller.readiness));
        let signals = teller.signals(now);
        let changed =
            Changed { status: status != self.told.status, load: moved(&self.told.signals, &signals) };
        if self.agenda.settle(now, changed) {
            let status = status.filter(|_| changed.status);
            self.send(Report { status, signals }).await?;
        }
        self.rest(teller);
        Ok(())
    }

    async fn send(&mut self, report: Report) -> anyhow::Result<()> {
        let status = report.status.clone().or_else(|| self.told.status.take());
        self.told = Report { status, signals: report.signals };
        let line = codec::line(&Up::Report(Box::new(report)))?;
        let sent = timeout(SILENCE, self.stream.up.send(line.into())).await;
        sent.context("it takes no reports")?.context("it has closed the stream")
    }

    /// Sleeps through to the next heartbeat when there is no load. What came between the last look and now is seen here.
    fn rest(&mut self, teller: &Teller) {
        if self.agenda.is_busy() {
            return;
        }
        let news = &teller.shared.news;
        news.doze();
        if moved(&self.told.signals, &teller.signals(Instant::now())) {
            news.stirred();
        }
    }
}
