//! A process that holds the lock of its host: it listens, and it dials while no other host does. An engine that was
//! replaced while its process stood still or was cut off ends, and the process follows whoever leads now, by itself.

use std::{pin::Pin, sync::Arc, time::Duration};

use chrono::Duration as Span;

use super::{App, AppError, StartOptions, from_twilio, lock::still_ours, mark};
use crate::{
    api::Role,
    config::{Config, RecordingSource},
    engine::{Ended, Engine, EngineConfig, Recording, hostname},
    telephony::{Bucket, RecordingPlace, twilio_calls::CallList},
};

/// Between two looks at who dials, where hosts share a database.
const LOOK: Span = Span::seconds(1);

/// What a process does about dialling just now.
pub(super) enum Turn {
    Dials(Engine),
    /// It does not, in words for its own header; for every console where nobody else dials either.
    Waits {
        words: String,
        everywhere: bool,
    },
    /// It was told not to, or has nothing to dial with.
    Idle(&'static str),
}

/// Begins as [`crate::desk::SWITCHED_OFF`], by which a console knows it.
const SWITCHED_OFF_HERE: &str = "dialling is switched off (--no-dial or ENABLE_CAMPAIGN_ENGINE=false): console and listener only";

fn span(d: Duration) -> Span {
    Span::from_std(d).unwrap_or(Span::seconds(30))
}

impl App {
    /// Holds the lock: listens, and dials where that is allowed and no other host does.
    pub(super) async fn lead(&mut self, config: &Config, options: StartOptions, taking_over: bool) -> Result<(), AppError> {
        self.led = self.listener.child_token();
        self.keep_mark().await?;
        let turn = self.turn_to_dial(config, options).await?;
        self.following.send_replace(None);
        let waits = self.said(&turn).await?;
        self.ready.send_replace(!matches!(turn, Turn::Dials(_)));
        if waits || matches!(turn, Turn::Dials(_)) {
            self.keep("engine", self.twin().dial_in_turn(turn, config.clone(), options));
        }
        self.listen(config, taking_over || options.wait_for_port).await?;
        let desk = self.desk.clone();
        self.keep("sweep of unfinished imports", async move {
            if let Err(e) = desk.discard_unfinished(Span::hours(1)).await {
                tracing::warn!(target: "app", error = %e, "unfinished imports could not be removed");
            }
        });
        Ok(())
    }

    /// Holds dialling where the database went back in time, and writes down from now on how far it is.
    async fn keep_mark(&mut self) -> Result<(), AppError> {
        if let Some(lock) = &self.lock {
            if self.desk.store().is_shared() {
                self.desk.remember_in(&self.beside.with_extension("dialled"))?;
            }
            let mark = mark::Mark::new(lock.clone(), &self.installation);
            mark.check(&self.desk).await?;
            self.keep("keeper of the mark", mark.keep(self.desk.clone(), self.clock.clone(), self.led.clone()));
        }
        Ok(())
    }

    /// Whose turn it is to dial. An engine that is answered here has the lease.
    async fn turn_to_dial(&self, config: &Config, options: StartOptions) -> Result<Turn, AppError> {
        if let Some(words) = self.other_host().await? {
            return Ok(Turn::Waits { words, everywhere: false });
        }
        if options.no_dial || !config.engine_enabled {
            return Ok(Turn::Idle(SWITCHED_OFF_HERE));
        }
        let Some(carrier) = self.carrier.clone() else {
            return Ok(Turn::Idle("no LiveKit is configured: set LIVEKIT_HOST, LIVEKIT_API_KEY and LIVEKIT_API_SECRET; `dialdeck demo` practises without"));
        };
        if let Some(words) = self.desk.unfit_to_dial().await? {
            return Ok(Turn::Waits { words, everywhere: true });
        }
        let engine = Engine::new(self.desk.clone(), carrier, self.clock.clone(), self.engine_config(config), self.installation, self.stop.child());
        // Of two hosts that find nobody dialling one goes on from here.
        if self.desk.renew_lease(engine.incarnation(), hostname(), span(config.lease)).await? {
            return Ok(Turn::Dials(engine));
        }
        let words = self.other_host().await?.unwrap_or_else(|| "another host dials with this database".to_owned());
        Ok(Turn::Waits { words, everywhere: false })
    }

    /// Tells why this process does not dial; whether that may change.
    async fn said(&self, turn: &Turn) -> Result<bool, AppError> {
        match turn {
            Turn::Dials(_) => Ok(true),
            Turn::Waits { words, everywhere } => {
                let news = self.following.send_if_modified(|shown| shown.replace(words.clone()).as_ref() != Some(words));
                if news && *everywhere {
                    self.desk.report_health(words.clone()).await?;
                }
                Ok(true)
            }
            Turn::Idle(words) => {
                self.following.send_replace(None);
                tracing::warn!(target: "app", "{words}");
                self.desk.report_health((*words).to_owned()).await?;
                Ok(false)
            }
        }
    }

    /// Dials while it is this host's turn, and follows while it is not. `self` is a twin of the app that the console holds.
    async fn dial_in_turn(self, mut turn: Turn, config: Config, options: StartOptions) {
        let mut replaced = false;
        loop {
            if let Turn::Dials(engine) = turn {
                self.following.send_replace(None);
                let ended = self.run_engine(engine).await;
                if ended == Ended::Stopped || self.stop.now.is_cancelled() {
                    return;
                }
                // Nothing of this host is missing while it follows.
                self.ready.send_replace(true);
                replaced = true;
                if self.lock.as_deref().is_some_and(|lock| !still_ours(lock, &self.beside)) {
                    return self.step_aside(config, options).await;
                }
            }
            tokio::select! {
                () = self.clock.sleep_until(self.clock.now() + LOOK) => {}
                () = self.led.cancelled() => return,
            }
            if self.stop.drain.is_cancelled() {
                return;
            }
            turn = match self.next_turn(&config, options, replaced).await {
                Ok(Some(turn)) => turn,
                Ok(None) => return,
                // Who cannot ask does not dial either.
                Err(e) => {
                    tracing::warn!(target: "app", error = %e, "whether this host may dial is not known");
                    Turn::Waits { words: self.following.borrow().clone().unwrap_or_default(), everywhere: false }
                }
            };
        }
    }

    /// Whose turn it is now, told; `None` where that changes no more.
    async fn next_turn(&self, config: &Config, options: StartOptions, replaced: bool) -> Result<Option<Turn>, AppError> {
        let mut turn = self.turn_to_dial(config, options).await?;
        match &mut turn {
            Turn::Dials(_) => tracing::warn!(target: "app", "no other host dials any more: this one has taken over"),
            Turn::Waits { words, everywhere: false } if replaced => words.push_str(". It took over while this one stood still or was cut off"),
            Turn::Waits { .. } | Turn::Idle(_) => {}
        }
        Ok(self.said(&turn).await?.then_some(turn))
    }

    async fn run_engine(&self, engine: Engine) -> Ended {
        let (mut known, ready) = (engine.ready(), self.ready.clone());
        let told = async {
            loop {
                ready.send_replace(*known.borrow_and_update());
                if known.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            ended = engine.lead() => ended,
            () = told => Ended::Stopped,
        }
    }

    /// Another process of this host has taken lock, engine and listener over: it gets the port, and this one follows it.
    fn step_aside(mut self, config: Config, options: StartOptions) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            self.led.cancel();
            self.port.send_replace(None);
            self.lock = None;
            let path = self.desk.store().path();
            self.following.send_replace(Some(format!("another process took over while this one stood still: it follows the engine of that one on {path}")));
            self.stand_by(config, options).await;
        })
    }

    fn engine_config(&self, config: &Config) -> EngineConfig {
        let auth = self.auth.clone();
        EngineConfig {
            agent_name: config.agent_name.clone(),
            agent_wait: span(config.agent_wait),
            require_agent: config.require_agent,
            claim_lease: span(config.claim_lease),
            lease: span(config.lease),
            unknown_horizon: span(config.unknown_horizon),
            public_url: config.public_url.clone(),
            outcome_token: Arc::new(move |call, owner, until| auth.mint(owner, Role::Agent, until, Some(call))),
            orphan_sweep: config.orphan_sweep,
            retention: config.retention,
            call_list: from_twilio(config, "list of calls", CallList::new).map(Arc::new),
            recording: recording(config),
        }
    }
}

/// Who records the calls.
fn recording(config: &Config) -> Recording {
    match config.recording {
        RecordingSource::None => Recording::None,
        RecordingSource::Twilio => from_twilio(config, "list of recordings", CallList::new).map_or(Recording::None, |list| Recording::Twilio(Arc::new(list))),
        RecordingSource::Egress => {
            let b = config.recording_bucket.clone();
            let bucket = Bucket { name: b.name, access_key: b.access_key, secret: b.secret, region: b.region, endpoint: b.endpoint };
            Recording::Egress(RecordingPlace { prefix: b.prefix, bucket: (!bucket.name.is_empty()).then_some(bucket) })
        }
    }
}
