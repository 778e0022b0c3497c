//! Options for topics.

use bitacora_change::TopicCollision;

use super::spec::{Choice, Effect, OptionSpec};
use crate::source_config::LostMessages;

const OWN_NAMES: &str = "topics are always named <prefix>.<database>.<table>";
const REGEX_STRATEGY: &str = "merging tables into one topic is not implemented yet";

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "topic.prefix",
        Effect::Text(|draft, text| prefix(text).map(|text| draft.source.topic_prefix = text)),
        "First part of every topic's name, and `source.name` of the events: letters, digits, `.`, `_`, `-`.",
    )
    .aliases(&["database.server.name"])
    .toml(&["topic_prefix"])
    .required(),
    OptionSpec::new(
        "topic.namespace",
        Effect::Text(|draft, text| namespace(text).map(|text| draft.topic_namespace = Some(text))),
        "`tenant/namespace` of the topics; without it the source's own, or public/default.",
    )
    .toml(&["namespace", "topic_namespace"]),
    OptionSpec::new(
        "bitacora.topic.collision",
        Effect::Choice(&[
            Choice::new("stop", |draft| draft.source.topic_collision = TopicCollision::Stop),
            Choice::new("mix", |draft| draft.source.topic_collision = TopicCollision::Mix),
            Choice::new("escape", |draft| draft.source.topic_collision = TopicCollision::Escape),
        ]),
        "What happens to tables whose topics would have the same name, such as `订单` and `用户`, because Debezium writes \
        `_` for every character outside `A-Za-z0-9._-` (our own option): the source stops and names them; they share \
        the topic; or names of databases and tables are escaped so that they stay different, with `_x8ba2_` for 订.",
    )
    .toml(&["topic_collision"])
    .default("stop"),
    OptionSpec::new(
        "bitacora.open.topics.max",
        Effect::Integer {
            min: 1,
            max: 100_000,
            set: |draft, number| draft.source.open_topics_max = usize::try_from(number).unwrap_or(usize::MAX),
        },
        "Most topics of outbox rows that are open at once; a further topic closes the least recently used one (our \
        own option).",
    )
    .toml(&["open_topics_max"])
    .default("1000"),
    OptionSpec::new(
        "bitacora.lost.messages",
        Effect::Choice(&[
            Choice::new("send_again", |draft| draft.source.lost_messages = LostMessages::SendAgain),
            Choice::new("accept", |draft| draft.source.lost_messages = LostMessages::Accept),
        ]),
        "What the source does if a topic lacks messages that it had confirmed, because the topic was truncated, \
        deleted or restored from an older copy: go back in the server's log and send them again; go on without them \
        (our own option).",
    )
    .toml(&["lost_messages"])
    .default("send_again"),
    OptionSpec::refused(
        "topic.naming.strategy",
        &["io.debezium.schema.DefaultTopicNamingStrategy", "io.debezium.schema.SchemaTopicNamingStrategy"],
        OWN_NAMES,
    ),
    OptionSpec::refused("topic.delimiter", &["."], OWN_NAMES),
    OptionSpec::unused("topic.cache.size", "names are kept with each table's plan"),
    OptionSpec::unused("topic.transaction", "there is no transaction topic"),
    OptionSpec::refused("topic.regex", &[""], REGEX_STRATEGY),
    OptionSpec::refused("topic.replacement", &[""], REGEX_STRATEGY),
    OptionSpec::refused("topic.key.enforce.uniqueness", &["true"], REGEX_STRATEGY),
    OptionSpec::refused("topic.key.field.*", &[], REGEX_STRATEGY),
    OptionSpec::unused("topic.creation.*", "topics are made by their first producer"),
];

fn prefix(text: String) -> Result<String, String> {
    let valid = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if valid { Ok(text) } else { Err(format!("{text:?} is not a topic prefix; use letters, digits, '.', '_' and '-'")) }
}

fn namespace(text: String) -> Result<String, String> {
    let parts: Vec<&str> = text.split('/').collect();
    let valid = parts.len() == 2
        && parts.iter().all(|part| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '=' | ':'))
        });
    if valid {
        Ok(text)
    } else {
        Err(format!("{text:?} is not a namespace; write tenant/namespace, as public/default"))
    }
}
