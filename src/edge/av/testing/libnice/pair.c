/*
 * Two agents of libnice in the mode of Office Communications Server 2007 R2, relay candidates only, in one process.
 * They connect through the relay, send numbered messages to one another and close; what happens is printed, a line
 * an event.
 *
 *   pair MESSAGES INTERVAL_MS  then for each of the two: ADDRESS SERVER PORT udp|tls USERNAME PASSWORD
 *
 * ADDRESS is where the agent's own sockets stand; USERNAME and PASSWORD are base64, as the service issues them.
 */
#include <agent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *name;
  NiceAgent *agent;
  guint stream;
  guint received;
  guint sent;
  gboolean gathered;
  gboolean ready;
} Side;

static Side sides[2];
static GMainLoop *loop;
static guint messages, interval;
static int failed;

static Side *other(Side *side) { return side == &sides[0] ? &sides[1] : &sides[0]; }

static void finish_if_done(void) {
  if (sides[0].received < messages || sides[1].received < messages) return;
  printf("received %u %u\n", sides[0].received, sides[1].received);
  g_main_loop_quit(loop);
}

/* A whole connectivity check: the library hands up one that comes before it can tell whose it is, and waits for the next. */
static gboolean is_check(const gchar *bytes, guint length) {
  const guchar *octets = (const guchar *) bytes;
  return length >= 20 && octets[0] < 2 && octets[2] * 256 + octets[3] == length - 20 &&
    memcmp(octets + 4, "\x21\x12\xa4\x42", 4) == 0;
}

static void on_receive(NiceAgent *agent, guint stream, guint component, guint length, gchar *bytes, gpointer data) {
  Side *side = data;
  char expected[32];
  if (is_check(bytes, length)) {
    printf("check handed up %s\n", side->name);
    return;
  }
  snprintf(expected, sizeof expected, "message %05u", side->received);
  if (length != strlen(expected) || memcmp(bytes, expected, length) != 0) {
    printf("unexpected %s %u\n", side->name, length);
    failed = 1;
    g_main_loop_quit(loop);
    return;
  }
  side->received++;
  finish_if_done();
}

static gboolean on_tick(gpointer data) {
  Side *side = data;
  char text[32];
  if (side->sent >= messages) return G_SOURCE_REMOVE;
  snprintf(text, sizeof text, "message %05u", side->sent);
  if (nice_agent_send(side->agent, side->stream, 1, strlen(text), text) > 0) side->sent++;
  return G_SOURCE_CONTINUE;
}

static void on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer data) {
  Side *side = data;
  printf("%s %s\n", side->name, nice_component_state_to_string(state));
  if (state == NICE_COMPONENT_STATE_FAILED) {
    failed = 1;
    g_main_loop_quit(loop);
  }
  if (state != NICE_COMPONENT_STATE_READY || side->ready) return;
  NiceCandidate *local = NULL, *remote = NULL;
  if (nice_agent_get_selected_pair(agent, stream, component, &local, &remote))
    printf("%s pair %d %d transport %d\n", side->name, local->type, remote->type, local->transport);
  side->ready = TRUE;
  if (!other(side)->ready) return;
  g_timeout_add(interval, on_tick, &sides[0]);
  g_timeout_add(interval, on_tick, &sides[1]);
}

static void exchange(Side *from, Side *to) {
  gchar *ufrag = NULL, *password = NULL;
  nice_agent_get_local_credentials(from->agent, from->stream, &ufrag, &password);
  nice_agent_set_remote_credentials(to->agent, to->stream, ufrag, password);
  g_free(ufrag);
  g_free(password);
  GSList *candidates = nice_agent_get_local_candidates(from->agent, from->stream, 1);
  GSList *kept = NULL;
  for (GSList *item = candidates; item; item = item->next) {
    NiceCandidate *candidate = item->data;
    gchar address[NICE_ADDRESS_STRING_LEN];
    nice_address_to_string(&candidate->addr, address);
    printf("%s candidate %d %d %s:%u\n", from->name, candidate->type, candidate->transport, address,
           nice_address_get_port(&candidate->addr));
    if (candidate->type == NICE_CANDIDATE_TYPE_RELAYED) kept = g_slist_append(kept, candidate);
  }
  nice_agent_set_remote_candidates(to->agent, to->stream, 1, kept);
  g_slist_free(kept);
  g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
}

static void on_gathered(NiceAgent *agent, guint stream, gpointer data) {
  Side *side = data;
  side->gathered = TRUE;
  printf("%s gathered\n", side->name);
  if (!other(side)->gathered) return;
  exchange(&sides[0], &sides[1]);
  exchange(&sides[1], &sides[0]);
}

static void open_side(Side *side, const char *name, char **argument, gboolean controlling) {
  NiceAddress local;
  gboolean tls = strcmp(argument[3], "tls") == 0;
  side->name = name;
  side->agent = nice_agent_new(NULL, NICE_COMPATIBILITY_OC2007R2);
  g_object_set(side->agent, "controlling-mode", controlling, "force-relay", TRUE, "upnp", FALSE, "ice-tcp", tls,
               "ice-udp", !tls, NULL);
  nice_address_init(&local);
  nice_address_set_from_string(&local, argument[0]);
  nice_agent_add_local_address(side->agent, &local);
  side->stream = nice_agent_add_stream(side->agent, 1);
  nice_agent_set_relay_info(side->agent, side->stream, 1, argument[1], atoi(argument[2]), argument[4], argument[5],
                            tls ? NICE_RELAY_TYPE_TURN_TLS : NICE_RELAY_TYPE_TURN_UDP);
  g_signal_connect(side->agent, "candidate-gathering-done", G_CALLBACK(on_gathered), side);
  g_signal_connect(side->agent, "component-state-changed", G_CALLBACK(on_state), side);
  nice_agent_attach_recv(side->agent, side->stream, 1, g_main_loop_get_context(loop), on_receive, side);
}

static int closing = 2;

static void on_closed(GObject *object, GAsyncResult *result, gpointer data) {
  Side *side = data;
  printf("%s closed\n", side->name);
  if (--closing == 0) g_main_loop_quit(loop);
}

static gboolean on_deadline(gpointer data) {
  printf("deadline, received %u %u\n", sides[0].received, sides[1].received);
  failed = 1;
  g_main_loop_quit(loop);
  return G_SOURCE_REMOVE;
}

int main(int count, char **argument) {
  if (count != 15) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  messages = atoi(argument[1]);
  interval = atoi(argument[2]);
  loop = g_main_loop_new(NULL, FALSE);
  g_timeout_add_seconds(60, on_deadline, NULL);
  open_side(&sides[0], "one", argument + 3, TRUE);
  open_side(&sides[1], "two", argument + 9, FALSE);
  if (!nice_agent_gather_candidates(sides[0].agent, sides[0].stream)) return 3;
  if (!nice_agent_gather_candidates(sides[1].agent, sides[1].stream)) return 3;
  g_main_loop_run(loop);
  if (failed) return 1;
  nice_agent_close_async(sides[0].agent, on_closed, &sides[0]);
  nice_agent_close_async(sides[1].agent, on_closed, &sides[1]);
  g_main_loop_run(loop);
  return 0;
}
