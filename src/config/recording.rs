//! `[recording]`: who records, and where a file goes.

use super::{
    Secret,
    reader::{Reader, one_of},
};

/// Who records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingSource {
    None,
    Egress,
    Twilio,
}

/// Where LiveKit's egress puts its files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingBucket {
    /// The bucket's name; empty for files of the egress service's host, or of its own configuration.
    pub name: String,
    pub prefix: String,
    pub access_key: String,
    pub secret: Secret,
    pub region: String,
    pub endpoint: String,
}

pub(super) fn read(r: &mut Reader<'_>) -> (RecordingSource, RecordingBucket) {
    let source = match one_of(r, "recording.source", &["none", "egress", "twilio", ""]).as_str() {
        "egress" => RecordingSource::Egress,
        "twilio" => RecordingSource::Twilio,
        _ => RecordingSource::None,
    };
    if source == RecordingSource::Twilio && (r.text("twilio.account_sid").is_empty() || r.text("twilio.auth_tokens").is_empty()) {
        r.complain("recording.source", "Twilio's recordings are asked for with TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: set both");
    }
    let bucket = bucket(&r.text("recording.bucket")).unwrap_or_else(|why| {
        r.complain("recording.bucket", why);
        RecordingBucket::default()
    });
    (source, bucket)
}

/// `s3://KEY:SECRET@NAME/PREFIX?region=R&endpoint=URL`, or a path.
fn bucket(text: &str) -> Result<RecordingBucket, String> {
    let folder = |path: &str| if path.is_empty() || path.ends_with('/') { path.to_owned() } else { format!("{path}/") };
    let Some(rest) = text.trim().strip_prefix("s3://") else {
        if text.contains("://") {
            return Err("is a path, or s3://KEY:SECRET@NAME/PREFIX?region=R&endpoint=URL".to_owned());
        }
        return Ok(RecordingBucket { prefix: folder(text.trim()), ..RecordingBucket::default() });
    };
    let (front, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (login, place) = front.rsplit_once('@').unwrap_or(("", front));
    let (access_key, secret) = login.split_once(':').unwrap_or((login, ""));
    let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
    if name.is_empty() || access_key.is_empty() != secret.is_empty() {
        return Err("names a bucket, and key and secret together or neither: s3://KEY:SECRET@NAME/PREFIX?region=R&endpoint=URL".to_owned());
    }
    let mut bucket = RecordingBucket {
        name: name.to_owned(),
        prefix: folder(prefix),
        access_key: access_key.to_owned(),
        secret: Secret::new(secret),
        ..RecordingBucket::default()
    };
    for (key, value) in query.split('&').filter(|p| !p.is_empty()).map(|p| p.split_once('=').unwrap_or((p, ""))) {
        match key {
            "region" => value.clone_into(&mut bucket.region),
            "endpoint" => value.clone_into(&mut bucket.endpoint),
            _ => return Err("knows region and endpoint behind its question mark".to_owned()),
        }
    }
    Ok(bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_and_paths() {
        let b = bucket("s3://AK:s/ec@calls/2026?region=eu-west-1&endpoint=https://minio.example").unwrap();
        assert_eq!((b.name.as_str(), b.prefix.as_str(), b.access_key.as_str(), b.secret.reveal()), ("calls", "2026/", "AK", "s/ec"));
        assert_eq!((b.region.as_str(), b.endpoint.as_str()), ("eu-west-1", "https://minio.example"));
        assert_eq!(bucket("s3://calls").unwrap().prefix, "");
        assert_eq!(bucket("/srv/recordings").unwrap(), RecordingBucket { prefix: "/srv/recordings/".into(), ..RecordingBucket::default() });
        for wrong in ["s3://", "s3://AK@calls", "gs://calls", "s3://calls?colour=red"] {
            assert!(bucket(wrong).is_err(), "{wrong}");
        }
    }
}
