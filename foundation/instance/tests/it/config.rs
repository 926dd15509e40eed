//! `ward.toml` and its variables: what is read, and what is refused by name.

use std::path::{Path, PathBuf};

use ward_instance::base_url::{BaseUrl, is_loopback_host};
use ward_instance::config::{Pooler, SignUp, SmtpTls, is_variable, refuse_password};
use ward_instance::{Config, InstanceError, Kind};

fn load(kind: Kind, text: &str, env: &[(&str, &str)]) -> Result<Config, InstanceError> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::from_text(text, kind, env)
}

fn refusal(kind: Kind, text: &str, env: &[(&str, &str)]) -> String {
    let error = load(kind, text, env).unwrap_err();
    assert_eq!(error.exit_code(), 78, "{error}");
    error.to_string()
}

const SANDBOX: &str = "kind = \"sandbox\"\nbase_url = \"http://127.0.0.1:4100\"\n";
const PRODUCTION: &str = "kind = \"production\"\nbase_url = \"https://ward.example\"\n";

#[test]
fn every_key_is_read() {
    let text = r#"
kind = "production"
base_url = "https://ward.example"
hosts = ["www.ward.example"]
listen = "127.0.0.1:4200"
private_listen = "127.0.0.1:9000"
tls_cert = "cert.pem"
tls_key = "key.pem"
trusted_proxy = "10.0.0.0/8"
database_env = "WARD_PRODUCTION_DATABASE_URL"
pooler = "transaction"
sign_up = "open"
rate_limit = 0
sockets_of_person = 200
sunset = "2027-01-01"
log_level = "debug"
files = "/srv/files"
"#;
    let config = load(Kind::Production, text, &[]).unwrap();
    assert_eq!(config.kind(), Kind::Production);
    assert_eq!((config.pooler, config.sign_up), (Some(Pooler::Transaction), SignUp::Open));
    assert_eq!((config.rate_limit, config.sockets_of_person), (Some(0), Some(200)));
    let defaults = load(Kind::Sandbox, SANDBOX, &[]).unwrap();
    assert_eq!((defaults.sign_up, defaults.allow_loopback_webhooks), (SignUp::Closed, false));
}

#[test]
fn files_that_keys_name_are_known() {
    let dir = Path::new("/srv/p");
    assert!(load(Kind::Sandbox, SANDBOX, &[]).unwrap().files_named(dir).is_empty());
    let text = r#"
tls_cert = "cert.pem"
tls_key = "/keys/key.pem"
smtp_host = "mail.example"
smtp_from = "a@b.example"
smtp_ca = "ca.pem"
smtp_callback_token_file = "/keys/token"
s3_endpoint = "https://s3.example"
s3_bucket = "b"
s3_access_key = "a"
"#;
    let env = [("WARD_PRODUCTION_S3_SECRET_KEY_FILE", "/run/secrets/s3")];
    let config = load(Kind::Production, &format!("{PRODUCTION}{text}"), &env).unwrap();
    let mut named = config.files_named(dir);
    named.sort();
    let expected =
        ["/keys/key.pem", "/keys/token", "/run/secrets/s3", "/srv/p/ca.pem", "/srv/p/cert.pem"];
    assert_eq!(named, expected.map(PathBuf::from));
}

#[test]
fn variables_lie_over_the_file() {
    let env = [
        ("WARD_SANDBOX_LISTEN", "127.0.0.1:5000"),
        ("WARD_SANDBOX_HOSTS", "a.example, b.example"),
        ("WARD_SANDBOX_RATE_LIMIT", "9"),
        ("WARD_SANDBOX_ALLOW_LOOPBACK_WEBHOOKS", "true"),
        ("WARD_SANDBOX_LOG_LEVEL", ""),
        ("WARD_URL", "http://127.0.0.1:4100"),
        ("PATH", "/bin"),
    ];
    let config = load(Kind::Sandbox, SANDBOX, &env).unwrap();
    assert_eq!(config.listen.as_deref(), Some("127.0.0.1:5000"));
    assert_eq!(config.hosts, ["a.example", "b.example"]);
    assert_eq!((config.rate_limit, config.allow_loopback_webhooks), (Some(9), true));
    assert_eq!(config.log_level, None);
    let wrong = refusal(Kind::Sandbox, SANDBOX, &[("WARD_SANDBOX_RATE_LIMIT", "many")]);
    assert_eq!(wrong, "WARD_SANDBOX_RATE_LIMIT must be a number");
}

#[test]
fn iso_01_the_file_is_of_the_other_kind() {
    assert!(refusal(Kind::Production, SANDBOX, &[]).starts_with("E-ISO-01: "));
    let sentence = refusal(Kind::Sandbox, SANDBOX, &[("WARD_SANDBOX_KIND", "production")]);
    assert!(sentence.starts_with("E-ISO-01: "), "{sentence}");
}

#[test]
fn iso_04_variables_of_the_other_kind() {
    let both = [("WARD_SANDBOX_LISTEN", "x"), ("WARD_PRODUCTION_LISTEN", "y")];
    for (kind, text) in [(Kind::Sandbox, SANDBOX), (Kind::Production, PRODUCTION)] {
        let sentence = refusal(kind, text, &both);
        assert!(sentence.starts_with("E-ISO-04: "), "{sentence}");
        assert!(sentence.contains(kind.other().variable_prefix()));
    }
    let crossed = format!("{SANDBOX}database_env = \"WARD_PRODUCTION_DATABASE_URL\"\n");
    assert!(refusal(Kind::Sandbox, &crossed, &[]).starts_with("E-ISO-04: "));
}

#[test]
fn iso_05_a_sandbox_takes_no_live_connector() {
    for name in [
        "WARD_SANDBOX_SMTP_URL",
        "WARD_SANDBOX_CARD_KEY",
        "WARD_SANDBOX_X",
        "WARD_SMTP_PASSWORD",
        "WARD_PUSH_TOKEN_FILE",
        "WARD_VIDEO_URL",
        "WARD_SCAN_SOCKET",
    ] {
        let sentence = refusal(Kind::Sandbox, SANDBOX, &[(name, "hunter2-secret")]);
        assert!(
            sentence.starts_with(&format!("E-ISO-05: a Sandbox takes no variable {name}; fix: ")),
            "{sentence}"
        );
        assert!(!sentence.contains("hunter2"));
    }
    for extra in ["smtp_password = \"hunter2-secret\"", "[fax]\nkey = \"hunter2-secret\""] {
        let sentence = refusal(Kind::Sandbox, &format!("{SANDBOX}{extra}\n"), &[]);
        assert!(sentence.starts_with("E-ISO-05: a Sandbox takes no key `"), "{sentence}");
        assert!(!sentence.contains("hunter2"));
    }
}

#[test]
fn iso_45_the_idle_limit_of_the_clock_is_a_sandboxs() {
    let key = |hours: &str| format!("{SANDBOX}clock_idle_hours = {hours}\n");
    for (hours, read) in [("0", 0), ("1", 1), ("8760", 8_760)] {
        let config = load(Kind::Sandbox, &key(hours), &[]).unwrap();
        assert_eq!(config.clock_idle_hours, Some(read));
    }
    assert_eq!(load(Kind::Sandbox, SANDBOX, &[]).unwrap().clock_idle_hours, None);
    let variable = [("WARD_SANDBOX_CLOCK_IDLE_HOURS", "48")];
    let config = load(Kind::Sandbox, &key("1"), &variable).unwrap();
    assert_eq!(config.clock_idle_hours, Some(48));
    let told = refusal(Kind::Sandbox, &key("8761"), &[]);
    assert_eq!(told, "clock_idle_hours is from 1 to 8760 hours; 0 is never");
    for wrong in ["-1", "1.5", "4294967296", "\"a day\""] {
        assert!(load(Kind::Sandbox, &key(wrong), &[]).is_err(), "{wrong}");
    }
    let told = refusal(Kind::Production, &format!("{PRODUCTION}clock_idle_hours = 24\n"), &[]);
    assert!(told.contains("`clock_idle_hours`"), "{told}");
    let variable = [("WARD_PRODUCTION_CLOCK_IDLE_HOURS", "24")];
    let told = refusal(Kind::Production, PRODUCTION, &variable);
    assert!(told.contains("WARD_PRODUCTION_CLOCK_IDLE_HOURS"), "{told}");
}

#[test]
fn a_wrong_name_is_not_taken_for_a_live_connector() {
    for (name, is_connector) in [
        ("WARD_SANDBOX_TRIPWIRE_STRIKT", false),
        ("WARD_SANDBOX_LISTNE", false),
        ("WARD_SANDBOX_PUSH_URL", true),
        ("WARD_SANDBOX_TWILIO_KEY", true),
    ] {
        let sentence = refusal(Kind::Sandbox, SANDBOX, &[(name, "x")]);
        assert_eq!(sentence.contains("live connectors"), is_connector, "{sentence}");
        assert_eq!(sentence.contains("correct its name"), !is_connector, "{sentence}");
        assert!(!is_variable(Kind::Sandbox, name), "{name}");
    }
    assert!(is_variable(Kind::Sandbox, "WARD_SANDBOX_TRIPWIRE_STRICT"));
    assert!(!is_variable(Kind::Sandbox, "WARD_PRODUCTION_LISTEN"));
    let sentence = refusal(Kind::Sandbox, &format!("{SANDBOX}lisen = \"x\"\n"), &[]);
    assert!(sentence.ends_with("fix: correct its name, or remove it"), "{sentence}");
}

#[test]
fn unknown_settings_of_production_are_named() {
    let sentence = refusal(Kind::Production, &format!("{PRODUCTION}peer_url = \"x\"\n"), &[]);
    assert!(sentence.contains("`peer_url`"), "{sentence}");
    let sentence = refusal(Kind::Production, PRODUCTION, &[("WARD_PRODUCTION_LISTNE", "x")]);
    assert!(sentence.contains("WARD_PRODUCTION_LISTNE"), "{sentence}");
}

#[test]
fn a_broken_file_is_not_quoted() {
    let sentence = refusal(Kind::Sandbox, "kind = \"sandbox\"\npassword = \"hunter2-secret\n", &[]);
    assert!(!sentence.contains("hunter2"), "{sentence}");
}

#[test]
fn passwords_are_refused_wherever_they_stand() {
    let text = format!("{PRODUCTION}files = \"postgres://ward:hunter2@db/ward\"\n");
    let sentence = refusal(Kind::Production, &text, &[]);
    assert!(sentence.contains("`files`") && !sentence.contains("hunter2"), "{sentence}");
    for secret in ["postgres://u:p@h/d", "host=h password=p", "postgresql://u:p%40@h"] {
        assert!(refuse_password("--database", secret).is_err(), "{secret}");
    }
    for plain in ["postgres://u@h/d", "postgres://h:5432/d", "ward.db", "http://[::1]:80"] {
        assert!(refuse_password("--database", plain).is_ok(), "{plain}");
    }
}

#[test]
fn the_database_address_comes_from_the_named_variable() {
    let text = format!("{PRODUCTION}database_env = \"WARD_PRODUCTION_DATABASE_URL\"\n");
    let env = [("WARD_PRODUCTION_DATABASE_URL", "postgres://u:p@h/production")];
    let config = load(Kind::Production, &text, &env).unwrap();
    let pairs = || env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let url = config.database_url(pairs()).unwrap().unwrap();
    assert_eq!(url.as_str(), "postgres://u:p@h/production");
    assert!(config.database_url(std::iter::empty()).is_err());
    let sqlite = load(Kind::Sandbox, SANDBOX, &[]).unwrap();
    assert!(sqlite.database_url(pairs()).unwrap().is_none());
}

#[test]
fn webhooks_to_private_addresses_are_fatal_in_production() {
    for key in ["allow_loopback_webhooks", "allow_private_webhooks"] {
        let extra = format!("{key} = true\n");
        assert!(
            refusal(Kind::Production, &format!("{PRODUCTION}{extra}"), &[])
                .starts_with("E-ISO-43: ")
        );
        assert!(load(Kind::Sandbox, &format!("{SANDBOX}{extra}"), &[]).is_ok());
    }
}

#[test]
fn what_is_written_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let url: BaseUrl = "http://127.0.0.1:4100".parse().unwrap();
    let mut config = Config::new(Kind::Sandbox, &url);
    config.listen = Some("127.0.0.1:4100".to_owned());
    config.allow_loopback_webhooks = true;
    config.write(dir.path()).unwrap();
    let read = Config::load(dir.path(), Kind::Sandbox, std::iter::empty()).unwrap();
    assert_eq!(read, config);
    assert_eq!(read.parsed_base_url().unwrap(), url);
    assert!(
        refusal(Kind::Production, &format!("{PRODUCTION}tls_cert = \"c\"\n"), &[])
            .contains("tls_key")
    );
}

#[test]
fn base_urls() {
    let table = [
        ("http://127.0.0.1:4100", "http://127.0.0.1:4100", true),
        ("https://Ward.Example/", "https://ward.example", false),
        ("http://[::1]:80", "http://[::1]:80", true),
        ("http://sandbox.localhost:4100", "http://sandbox.localhost:4100", true),
        ("https://notlocalhost", "https://notlocalhost", false),
        ("http://10.0.0.1", "http://10.0.0.1", false),
    ];
    for (text, shown, loopback) in table {
        let url: BaseUrl = text.parse().unwrap();
        assert_eq!((url.to_string().as_str(), url.is_loopback()), (shown, loopback), "{text}");
    }
    let wrong = [
        "",
        "ward.example",
        "ftp://x",
        "https://",
        "https://u:p@h",
        "https://h/path",
        "https://h?x",
        "https://h:0",
        "https://h:99999",
        "https://h:",
        "https://h:+1",
        "https://a b",
        "https://[::1",
        "https://-x",
        "https://x/?",
    ];
    for text in wrong {
        assert!(text.parse::<BaseUrl>().is_err(), "{text}");
    }
    assert!(is_loopback_host("LOCALHOST") && !is_loopback_host("localhost.example"));
}

/// Keys of live connectors are Production's, and what belongs together is there together (ISO-05).
#[test]
fn live_connectors_are_productions_alone() {
    let mail = "smtp_host = \"mail.example\"\nsmtp_from = \"a@b.example\"\nsmtp_tls = \"implicit\"\nsmtp_port = 2465\n";
    let config = load(Kind::Production, &format!("{PRODUCTION}{mail}"), &[]).unwrap();
    let ring = crate::ring(Kind::Production, 1);
    let certificate =
        ward_instance::Certificate::new(&ring, crate::NOW, "https://ward.example", "v");
    let witness = certificate.verify(&ring).unwrap().production().unwrap();
    let connectors = config.connectors(&witness);
    assert_eq!(connectors.smtp_host.as_deref(), Some("mail.example"));
    assert_eq!((connectors.smtp_tls, connectors.smtp_port), (Some(SmtpTls::Implicit), Some(2465)));
    let env = [
        ("WARD_PRODUCTION_SMTP_HOST", "other.example"),
        ("WARD_PRODUCTION_SCAN_SOCKET", "/run/clamav/clamd.ctl"),
    ];
    let config = load(Kind::Production, &format!("{PRODUCTION}{mail}"), &env).unwrap();
    let connectors = config.connectors(&witness);
    assert_eq!(connectors.smtp_host.as_deref(), Some("other.example"));
    assert_eq!(connectors.scan_socket.as_deref(), Some("/run/clamav/clamd.ctl"));
    for (keys, said) in [
        ("smtp_host = \"mail.example\"", "smtp_host needs smtp_from"),
        ("smtp_from = \"a@b.example\"", "smtp_from needs smtp_host"),
        (
            "smtp_host = \"m\"\nsmtp_from = \"a@b.c\"\nsmtp_user = \"u\"",
            "smtp_user needs smtp_password_file",
        ),
        ("sms_url = \"https://sms.example\"", "sms_url needs sms_token_file"),
        ("push_url = \"https://push.example\"", "push_url needs push_token_file"),
        ("video_url = \"https://video.example\"", "video_url needs video_token_file"),
        ("smtp_tls = \"none\"", "unknown variant"),
        ("smtp_password = \"x\"", "smtp_password"),
    ] {
        let told = refusal(Kind::Production, &format!("{PRODUCTION}{keys}\n"), &[]);
        assert!(told.contains(said), "{keys}: {told}");
    }
    for keys in [
        "smtp_host = \"mail.example\"",
        "smtp_ca = \"x\"",
        "sms_url = \"https://x\"",
        "push_url = \"https://x\"",
        "video_url = \"https://x\"",
        "scan_socket = \"/run/clamav/clamd.ctl\"",
    ] {
        let told = refusal(Kind::Sandbox, &format!("{SANDBOX}{keys}\n"), &[]);
        assert!(told.contains("ISO-05"), "{keys}: {told}");
    }
    for (name, value) in [
        ("WARD_SANDBOX_SMTP_HOST", "mail.example"),
        ("WARD_SANDBOX_SCAN_SOCKET", "/run/clamav/clamd.ctl"),
    ] {
        let told = refusal(Kind::Sandbox, SANDBOX, &[(name, value)]);
        assert!(told.contains("ISO-05") && told.contains(name), "{name}: {told}");
    }
}
