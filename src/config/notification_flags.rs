//! The flags of `serve` about notifications. Names and defaults are Chronos', where it has the flag.

use std::path::PathBuf;

use clap::Args;

use super::Secret;

/// The flags of `chronode serve` about notifications.
#[derive(Debug, Clone, Args)]
pub struct NotificationFlags {
    /// Server that takes mail, as `smtp.example.org:587`; without a port 25, or 465 with `--mail_ssl`
    #[arg(
        long = "mail_server",
        alias = "mail-server",
        value_name = "HOST[:PORT]",
        env = "CHRONODE_MAIL_SERVER",
        help_heading = "Notifications"
    )]
    pub mail_server: Option<String>,

    /// Sender of mails: an address, or a name and an address in angle brackets
    #[arg(
        long = "mail_from",
        alias = "mail-from",
        value_name = "ADDRESS",
        env = "CHRONODE_MAIL_FROM",
        help_heading = "Notifications"
    )]
    pub mail_from: Option<String>,

    /// User to log in as at the mail server
    #[arg(
        long = "mail_user",
        alias = "mail-user",
        value_name = "NAME",
        env = "CHRONODE_MAIL_USER",
        help_heading = "Notifications"
    )]
    pub mail_user: Option<String>,

    /// That user's password
    #[arg(
        long = "mail_password",
        alias = "mail-password",
        value_name = "PASSWORD",
        env = "CHRONODE_MAIL_PASSWORD",
        hide_env_values = true,
        help_heading = "Notifications"
    )]
    pub mail_password: Option<Secret>,

    /// File with that user's password; readable by nobody else
    #[arg(
        long = "mail_password_file",
        alias = "mail-password-file",
        value_name = "FILE",
        env = "CHRONODE_MAIL_PASSWORD_FILE",
        help_heading = "Notifications"
    )]
    pub mail_password_file: Option<PathBuf>,

    /// Speak TLS with the mail server from the first byte
    #[arg(
        long = "mail_ssl",
        alias = "mail-ssl",
        env = "CHRONODE_MAIL_SSL",
        help_heading = "Notifications"
    )]
    pub mail_ssl: bool,

    /// Send nothing to a mail server that does not go over to TLS; without it TLS is spoken if it is offered
    #[arg(
        long = "mail_starttls",
        alias = "mail-starttls",
        env = "CHRONODE_MAIL_STARTTLS",
        help_heading = "Notifications"
    )]
    pub mail_starttls: bool,

    /// PEM file of the authorities that sign the certificate of the mail server; without it those of the system
    #[arg(
        long = "mail_ca_file",
        alias = "mail-ca-file",
        value_name = "FILE",
        env = "CHRONODE_MAIL_CA_FILE",
        help_heading = "Notifications"
    )]
    pub mail_ca_file: Option<PathBuf>,

    /// Show the password also to a mail server without TLS, or whose certificate nobody vouches for
    #[arg(
        long = "mail_password_in_clear",
        alias = "mail-password-in-clear",
        env = "CHRONODE_MAIL_PASSWORD_IN_CLEAR",
        help_heading = "Notifications"
    )]
    pub mail_password_in_clear: bool,

    /// Address of an incoming webhook of Slack; it alone lets anybody write there
    #[arg(
        long = "slack_url",
        alias = "slack-url",
        value_name = "URL",
        env = "CHRONODE_SLACK_URL",
        hide_env_values = true,
        help_heading = "Notifications"
    )]
    pub slack_url: Option<Secret>,

    /// File with that address; readable by nobody else
    #[arg(
        long = "slack_url_file",
        alias = "slack-url-file",
        value_name = "FILE",
        env = "CHRONODE_SLACK_URL_FILE",
        help_heading = "Notifications"
    )]
    pub slack_url_file: Option<PathBuf>,

    /// Address of an incoming webhook of Mattermost; it alone lets anybody write there
    #[arg(
        long = "mattermost_url",
        alias = "mattermost-url",
        value_name = "URL",
        env = "CHRONODE_MATTERMOST_URL",
        hide_env_values = true,
        help_heading = "Notifications"
    )]
    pub mattermost_url: Option<Secret>,

    /// File with that address; readable by nobody else
    #[arg(
        long = "mattermost_url_file",
        alias = "mattermost-url-file",
        value_name = "FILE",
        env = "CHRONODE_MATTERMOST_URL_FILE",
        help_heading = "Notifications"
    )]
    pub mattermost_url_file: Option<PathBuf>,

    /// Address that gets what Chronos posts
    #[arg(
        long = "http_notification_url",
        alias = "http-notification-url",
        value_name = "URL",
        env = "CHRONODE_HTTP_NOTIFICATION_URL",
        help_heading = "Notifications"
    )]
    pub http_notification_url: Option<String>,

    /// User and password for `--http_notification_url`
    #[arg(
        long = "http_notification_credentials",
        alias = "http-notification-credentials",
        value_name = "USER:PASSWORD",
        env = "CHRONODE_HTTP_NOTIFICATION_CREDENTIALS",
        hide_env_values = true,
        help_heading = "Notifications"
    )]
    pub http_notification_credentials: Option<Secret>,

    /// File with these, as `user:password`; readable by nobody else
    #[arg(
        long = "http_notification_credentials_file",
        alias = "http-notification-credentials-file",
        value_name = "FILE",
        env = "CHRONODE_HTTP_NOTIFICATION_CREDENTIALS_FILE",
        help_heading = "Notifications"
    )]
    pub http_notification_credentials_file: Option<PathBuf>,

    /// Address that gets signed messages as JSON
    #[arg(
        long = "webhook_url",
        alias = "webhook-url",
        value_name = "URL",
        env = "CHRONODE_WEBHOOK_URL",
        help_heading = "Notifications"
    )]
    pub webhook_url: Option<String>,

    /// Key of the signature for `--webhook_url`
    #[arg(
        long = "webhook_secret",
        alias = "webhook-secret",
        value_name = "TEXT",
        env = "CHRONODE_WEBHOOK_SECRET",
        hide_env_values = true,
        help_heading = "Notifications"
    )]
    pub webhook_secret: Option<Secret>,

    /// File with that key; readable by nobody else
    #[arg(
        long = "webhook_secret_file",
        alias = "webhook-secret-file",
        value_name = "FILE",
        env = "CHRONODE_WEBHOOK_SECRET_FILE",
        help_heading = "Notifications"
    )]
    pub webhook_secret_file: Option<PathBuf>,

    /// Program, by its whole path and without arguments, that gets messages as JSON on its standard input
    #[arg(
        long = "notification_command",
        alias = "notification-command",
        value_name = "PROGRAM",
        env = "CHRONODE_NOTIFICATION_COMMAND",
        help_heading = "Notifications"
    )]
    pub notification_command: Option<String>,

    /// Let hooks reach this machine and private networks, unless their channel says otherwise
    #[arg(
        long = "notification_private_addresses",
        alias = "notification-private-addresses",
        env = "CHRONODE_NOTIFICATION_PRIVATE_ADDRESSES",
        help_heading = "Notifications"
    )]
    pub notification_private_addresses: bool,

    /// Who is told, by mail, of what concerns the scheduler itself: addresses with commas between them
    #[arg(
        long,
        value_name = "LIST",
        env = "CHRONODE_OPERATORS",
        default_value = "",
        help_heading = "Notifications"
    )]
    pub operators: String,

    /// Name of this installation, which stands before every subject
    #[arg(
        long = "cluster_name",
        alias = "cluster-name",
        value_name = "NAME",
        env = "CHRONODE_CLUSTER_NAME",
        help_heading = "Notifications"
    )]
    pub cluster_name: Option<String>,

    /// Messages that one recipient gets within `--alert_window`, from 1 to 50; the others come as one digest
    #[arg(
        long = "alert_burst",
        alias = "alert-burst",
        value_name = "N",
        env = "CHRONODE_ALERT_BURST",
        default_value_t = 5,
        help_heading = "Notifications"
    )]
    pub alert_burst: u32,

    /// Seconds in which a burst is counted, and between two digests
    #[arg(
        long = "alert_window",
        alias = "alert-window",
        value_name = "SECONDS",
        env = "CHRONODE_ALERT_WINDOW",
        default_value_t = 600,
        help_heading = "Notifications"
    )]
    pub alert_window: u32,

    /// Seconds for which nothing more is said of trouble that goes on
    #[arg(
        long = "alert_reminder",
        alias = "alert-reminder",
        value_name = "SECONDS",
        env = "CHRONODE_ALERT_REMINDER",
        default_value_t = 3_600,
        help_heading = "Notifications"
    )]
    pub alert_reminder: u32,

    /// Days for which a message is tried until it is given up, at most `--history_days`
    #[arg(
        long = "notification_days",
        alias = "notification-days",
        value_name = "DAYS",
        env = "CHRONODE_NOTIFICATION_DAYS",
        default_value_t = 3,
        help_heading = "Notifications"
    )]
    pub notification_days: u32,
}
