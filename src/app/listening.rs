//! The listener: webhooks and REST of this host.

use std::sync::Arc;

use chrono::Duration as Span;
use tokio::net::TcpListener;

use super::{App, AppError, host_zone, open_provision};
use crate::{
    api::{self, Defaults},
    config::Config,
    telephony::{Carrier, livekit::WebhookKeys, twilio::Signatures},
};

impl App {
    /// Serves webhooks and REST. A port that is taken ends it, or is waited for: polls tell of live calls meanwhile.
    pub(super) async fn listen(&mut self, config: &Config, waits: bool) -> Result<(), AppError> {
        let addr = config.listen;
        let router = api::router(self.api(config));
        let (stop, limits, proxies) = (self.led.clone(), config.limits, config.proxies.clone());
        let why = match TcpListener::bind(addr).await {
            Ok(listener) => {
                self.address = listener.local_addr().ok();
                self.keep("listener", api::serve(listener, router, limits, proxies, stop));
                return Ok(());
            }
            Err(e) if waits => listen_words(&e),
            Err(e) => return Err(AppError::Listen { addr, why: listen_words(&e) }),
        };
        let words = format!("no webhooks reach this process: cannot listen on {addr}: {why}. It is tried again every 5 s");
        tracing::warn!(target: "app", "{words}");
        self.port.send_replace(Some(words));
        let (clock, port) = (self.clock.clone(), self.port.clone());
        self.keep("listener", async move {
            let listener = loop {
                tokio::select! {
                    () = clock.sleep_until(clock.now() + Span::seconds(5)) => {}
                    () = stop.cancelled() => return,
                }
                if let Ok(listener) = TcpListener::bind(addr).await {
                    break listener;
                }
            };
            tracing::info!(target: "app", "listening on {addr}: callbacks reach this process");
            port.send_replace(None);
            api::serve(listener, router, limits, proxies, stop).await;
        });
        Ok(())
    }

    fn api(&self, config: &Config) -> api::Parts {
        let keys = config.livekit.as_ref().map(|l| vec![(l.api_key.clone(), l.api_secret.reveal().to_owned())]).unwrap_or_default();
        let sip = config.livekit.as_ref().map(|l| if l.sip_uri.is_empty() { sip_guess(&l.host) } else { host_only(&l.sip_uri) }).unwrap_or_default();
        api::Parts {
            desk: self.desk.clone(),
            clock: self.clock.clone(),
            auth: self.auth.clone(),
            carrier: self.carrier.clone().map(|l| l as Arc<dyn Carrier>),
            livekit_keys: WebhookKeys::new(keys),
            twilio: Signatures::new(config.twilio_tokens.iter().map(|t| t.reveal().to_owned()).collect(), &config.public_bases),
            sip_host: sip,
            ready: self.ready.subscribe(),
            provision: open_provision(config, &self.desk, self.carrier.clone()),
            limits: config.limits,
            buckets: Arc::new(api::Buckets::new(config.limits)),
            edges: Arc::new(api::Edges::new(config.proxies.clone(), &config.origins)),
            defaults: Defaults {
                timezone: config.timezone.unwrap_or_else(host_zone),
                region: config.region.clone(),
                default_number: config.twilio_number.clone(),
            },
        }
    }
}

fn listen_words(e: &std::io::Error) -> String {
    match e.kind() {
        std::io::ErrorKind::AddrInUse => "another program has this port. Stop it, or choose another with --listen ADDR or [listen] addr".to_owned(),
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need privileges. Choose another with --listen ADDR".to_owned(),
        _ => format!("{e}. Choose another address with --listen ADDR"),
    }
}

/// The host of a URL or SIP URI, with its port.
fn host_only(uri: &str) -> String {
    let rest = uri.split_once("://").map_or(uri, |(_, r)| r).trim_start_matches("sip:");
    let rest = rest.split(['/', ';', '?']).next().unwrap_or_default();
    rest.rsplit_once('@').map_or(rest, |(_, h)| h).to_owned()
}

/// `LIVEKIT_SIP_URI` unset: LiveKit's host, without the port of its HTTP API; said at start.
fn sip_guess(host: &str) -> String {
    let name = host_only(host);
    let name = name.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(name.as_str(), |(h, _)| h).to_owned();
    tracing::info!(target: "app", "LIVEKIT_SIP_URI is not set: calls into rooms go to sip:...@{name}");
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_for_twiml() {
        assert_eq!(host_only("wss://x.livekit.cloud"), "x.livekit.cloud");
        assert_eq!(host_only("sip:abc.sip.livekit.cloud;transport=tcp"), "abc.sip.livekit.cloud");
        assert_eq!(host_only("ws://127.0.0.1:7880/x"), "127.0.0.1:7880");
    }
}
