//! Who may come, and from where: proxies in front, origins of pages, secrets and the identity provider.

use super::{
    Proxies, Secret,
    reader::{Reader, one_of},
    show::shown,
};
use crate::domain::{role::Role, text::clean};

pub(super) fn proxies(r: &mut Reader<'_>, behind_proxy: bool) -> Proxies {
    let read = Proxies::parse(&r.text("listen.proxies"), &r.text("listen.client_header"));
    let proxies = read.unwrap_or_else(|why| {
        r.complain("listen.proxies", why);
        Proxies::default()
    });
    if behind_proxy { proxies } else { Proxies::default() }
}

/// Scheme, host and port, as a browser says them.
pub(super) fn origins(r: &mut Reader<'_>) -> Vec<String> {
    let text = r.text("listen.allow_origins");
    let all: Vec<String> = text.split(',').map(|o| o.trim().trim_end_matches('/').to_owned()).filter(|o| !o.is_empty()).collect();
    let is_origin = |o: &&String| {
        o.split_once("://").is_some_and(|(scheme, host)| {
            matches!(scheme, "http" | "https") && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b)) && !host.is_empty()
        })
    };
    if let Some(wrong) = all.iter().find(|o| !is_origin(o)) {
        r.complain("listen.allow_origins", format!("\"{}\" is no origin: write https://app.example.com", clean(wrong, 60)));
    }
    all
}

pub(super) fn role(r: &mut Reader<'_>, key: &str) -> Role {
    one_of(r, key, &["viewer", "operator", "supervisor", "admin"]).parse().unwrap_or(Role::Viewer)
}

/// A shorter secret can be found by trying, and then anybody is an admin.
pub(super) fn jwt_secret(r: &mut Reader<'_>) -> Secret {
    let text = r.text("auth.jwt_secret");
    if (1..32).contains(&text.len()) {
        let words = "is shorter than 32 bytes, so that it can be guessed: put the project's own in, or make one with `openssl rand -base64 48`; \
                     without any, dialdeck makes one of its own";
        r.complain("auth.jwt_secret", words);
    }
    Secret::new(text)
}

pub(super) fn supabase_url(r: &mut Reader<'_>) -> Option<String> {
    let url = Some(r.text("auth.supabase_url")).filter(|t| !t.is_empty())?;
    let safe = url.starts_with("https://") || (url.starts_with("http://") && is_loopback_url(&url));
    if !safe {
        let words = format!("\"{}\" does not begin with https://: whoever is on the way could let anybody in", clean(&shown("auth.supabase_url", &url), 60));
        r.complain("auth.supabase_url", words);
    }
    Some(url)
}

/// The public URL: configured, else the first of the spec's two whose host is not this machine.
pub(super) fn public(r: &Reader<'_>) -> (Option<String>, Vec<String>) {
    let all: Vec<String> = ["listen.public_url", "listen.backend_url", "listen.ngrok_url"].iter().map(|k| r.text(k)).filter(|t| !t.is_empty()).collect();
    let own = Some(r.text("listen.public_url")).filter(|t| !t.is_empty());
    let outside = all.iter().find(|u| !is_loopback_url(u)).cloned();
    (own.or(outside).or_else(|| all.first().cloned()), all)
}

/// Whether a URL's host is this machine.
#[must_use]
pub fn is_loopback_url(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, r)| r);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let inside = authority.strip_prefix('[').and_then(|a| a.split(']').next());
    let host = inside.unwrap_or_else(|| authority.split(':').next().unwrap_or_default());
    // A name that only begins so, or stands behind a login, is another's.
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback())
}
