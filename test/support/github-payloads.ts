// Payloads in the shape of GitHub's webhooks: every event with every action, as raw bytes that no JSON writer would make
// again: escapes, spaces, 64-bit ids, numbers such as 1.0, forms, and an empty body.

export interface GitHubPayload {
  event: string;
  /** Null for an event without actions. */
  action: string | null;
  contentType: string;
  body: Buffer;
}

/** By event, its actions; none for an event without. A ping is not among them: it is a handshake, which starts no run. */
const EVENTS: Readonly<Record<string, string>> = {
  branch_protection_configuration: 'disabled enabled',
  branch_protection_rule: 'created deleted edited',
  check_run: 'completed created requested_action rerequested',
  check_suite: 'completed requested rerequested',
  code_scanning_alert: 'appeared_in_branch closed_by_user created fixed reopened reopened_by_user updated_assignment',
  commit_comment: 'created',
  content_reference: 'created',
  create: '',
  custom_property: 'created deleted promote_to_enterprise updated',
  custom_property_values: 'updated',
  delete: '',
  dependabot_alert: 'auto_dismissed auto_reopened created dismissed fixed reintroduced reopened assignees_changed',
  deploy_key: 'created deleted',
  deployment: 'created',
  deployment_protection_rule: 'requested',
  deployment_review: 'approved rejected requested',
  deployment_status: 'created',
  discussion:
    'answered category_changed closed created deleted edited labeled locked pinned reopened transferred unanswered unlabeled unlocked unpinned',
  discussion_comment: 'created deleted edited',
  dismissal_request_code_scanning: 'created response_dismissed response_submitted',
  exemption_request_push_ruleset: 'cancelled completed created response_dismissed response_submitted',
  fork: '',
  github_app_authorization: 'revoked',
  gollum: '',
  installation: 'created deleted new_permissions_accepted suspend unsuspend',
  installation_repositories: 'added removed',
  installation_target: 'renamed',
  issue_comment: 'created deleted edited pinned unpinned',
  issue_dependencies: 'blocked_by_added blocked_by_removed blocking_added blocking_removed',
  issues:
    'assigned closed deleted demilestoned edited labeled locked milestoned opened pinned reopened transferred typed unassigned unlabeled unlocked unpinned untyped',
  label: 'created deleted edited',
  marketplace_purchase: 'cancelled changed pending_change pending_change_cancelled purchased',
  member: 'added edited removed',
  membership: 'added removed',
  merge_group: 'checks_requested destroyed',
  meta: 'deleted',
  milestone: 'closed created deleted edited opened',
  org_block: 'blocked unblocked',
  organization: 'deleted member_added member_invited member_removed renamed',
  package: 'published updated',
  page_build: '',
  personal_access_token_request: 'approved cancelled created denied',
  project: 'closed created deleted edited reopened',
  project_card: 'converted created deleted edited moved',
  project_column: 'created deleted edited moved',
  projects_v2: 'closed created deleted edited reopened',
  projects_v2_item: 'archived converted created deleted edited reordered restored',
  projects_v2_status_update: 'created deleted edited',
  public: '',
  pull_request:
    'assigned auto_merge_disabled auto_merge_enabled closed converted_to_draft demilestoned dequeued edited enqueued labeled locked ' +
    'milestoned opened ready_for_review reopened review_request_removed review_requested synchronize unassigned unlabeled unlocked',
  pull_request_review: 'dismissed edited submitted',
  pull_request_review_comment: 'created deleted edited',
  pull_request_review_thread: 'resolved unresolved',
  push: '',
  registry_package: 'published updated',
  release: 'created deleted edited prereleased published released unpublished',
  repository: 'archived created deleted edited privatized publicized renamed transferred unarchived',
  repository_advisory: 'published reported',
  repository_dispatch: 'on-demand-test',
  repository_import: '',
  repository_ruleset: 'created deleted edited',
  repository_vulnerability_alert: 'create dismiss reopen resolve',
  secret_scanning_alert: 'assigned created publicly_leaked reopened resolved unassigned validated',
  secret_scanning_alert_location: 'created',
  secret_scanning_scan: 'completed',
  security_advisory: 'published updated withdrawn',
  security_and_analysis: '',
  sponsorship: 'cancelled created edited pending_cancellation pending_tier_change tier_changed',
  star: 'created deleted',
  status: '',
  sub_issues: 'parent_issue_added parent_issue_removed sub_issue_added sub_issue_removed',
  team: 'added_to_repository created deleted edited removed_from_repository',
  team_add: '',
  watch: 'started',
  workflow_dispatch: '',
  workflow_job: 'completed in_progress queued waiting',
  workflow_run: 'completed in_progress requested',
};

const TEXTS = [
  'plain',
  'Grüße, 世界 👩‍💻 \u2028 \ufeff',
  '"quotes" \\ and \n lines \t and \u0000 nothing',
  '</script><!-- & %20 + payload=x&y=z',
  'e\u0301 beside \u00e9',
];

/** Every body differs from all others. */
export function githubPayloads(): GitHubPayload[] {
  return Object.entries(EVENTS)
    .flatMap(([event, actions]) => (actions === '' ? [null] : actions.split(' ')).map((action) => ({ event, action })))
    .map(({ event, action }, index) => ({ event, action, ...encode(index, documentOf(event, action, index)) }));
}

/** JSON as text: some of it in a spelling that is lost if it is parsed and written again. */
function documentOf(event: string, action: string | null, index: number): string {
  const text = TEXTS[index % TEXTS.length] as string;
  const space = ['', ' ', '\n  ', '\t'][index % 4] as string;
  const nested = Array.from({ length: index % 40 }, () => `{"child":${space}[`).join('');
  const ends = Array.from({ length: index % 40 }, () => `]}`).join('');
  const members = [
    ...(action === null ? [] : [`"action":${JSON.stringify(action)}`]),
    `"${event}":{"id":${9_223_372_036_854_775_000n + BigInt(index)},"node_id":"MDU6${index}","weight":${index}.0,"rate":1.50e+2}`,
    `"sender":{"login":"octo\\u0063at","id":-0,"url":"https:\\/\\/api.github.com\\/users\\/octocat"}`,
    `"repository":{"full_name":"octo/hello","description":${JSON.stringify(text)},"emoji":"\\ud83d\\ude80","empty":{},"none":null,"list":[ ]}`,
    `"nested":${nested}${space}true${ends}`,
    `"twice":1,"twice":2`,
  ];
  return `{${space}${members.join(`,${space}`)}${space}}`;
}

/** As the settings of a hook choose: JSON, or a form with the field `payload`. One body is empty. */
function encode(index: number, json: string): Pick<GitHubPayload, 'contentType' | 'body'> {
  if (index === 100) return { contentType: 'application/json', body: Buffer.alloc(0) };
  if (index % 3 !== 2)
    return { contentType: index % 2 === 0 ? 'application/json' : 'application/json; charset=utf-8', body: Buffer.from(json) };
  const isUpper = index % 2 === 0;
  const upper = encodeURIComponent(json).replaceAll('%20', '+');
  const payload = isUpper ? upper : upper.replace(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase());
  return { contentType: 'application/x-www-form-urlencoded', body: Buffer.from(`payload=${payload}`) };
}
