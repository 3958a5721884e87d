import { rowsFr } from './rows-fr.ts';
import type { Texts } from './texts.ts';

/** Written with plain spaces; `typeset` of `texts.ts` makes those unbreakable that French does not break at. */
export const fr: Texts = {
  sections: {
    external: 'Interface externe',
    internal: 'Interface interne',
    federation: 'Fédération',
    pic: 'Messagerie instantanée publique',
    xmpp: 'XMPP',
    more: 'Au-delà du résumé des ports',
  },
  columns: {
    id: 'Ligne',
    role: 'Rôle',
    protocol: 'Protocole',
    port: 'Port',
    source: 'Adresse IP source',
    destination: 'Adresse IP de destination',
    direction: 'Sens',
    why: 'Pourquoi',
  },
  addressColumns: {
    node: 'Serveur Edge',
    access: 'Accès',
    webConferencing: 'Conférence web',
    av: 'A/V',
    internal: 'Interne',
  },
  roles: {
    access: 'Accès',
    'web-conferencing': 'Conférence web',
    av: 'A/V',
    'av-authentication': 'Authentification A/V',
    'xmpp-proxy': 'Proxy XMPP',
    replica: 'Réplication du magasin central de gestion',
    'logging-agent': 'Journalisation centralisée',
    'log-controller': 'contrôleur de journaux',
    management: 'magasin de gestion',
    'xmpp-gateway': 'passerelle XMPP',
    'web-conferencing-service': 'Service de conférence web',
    'front-end': 'Serveur frontal',
    supervisor: 'Superviseur',
    host: 'Hôte',
    'reverse-proxy': 'Proxy inverse',
  },
  securities: {
    none: 'non chiffré',
    'message-integrity': 'intégrité des messages',
    'none|STARTTLS': 'STARTTLS si possible',
    'SRTP|none': 'SRTP si possible',
  },
  directions: { inbound: 'entrant', outbound: 'sortant' },
  interfaces: { external: 'externe', internal: 'interne', loopback: 'de bouclage' },
  edge: {
    access: {
      shown: 'Adresse IP publique du service Edge d’accès',
      translated: 'Adresse IP du service Edge d’accès',
    },
    webConferencing: {
      shown: 'Adresse IP publique du service Edge de conférence web',
      translated: 'Adresse IP du service Edge de conférence web',
    },
    av: { shown: 'Adresse IP publique du service Edge A/V', translated: 'Adresse IP du service Edge A/V' },
    internal: {
      shown: 'Interface interne du serveur Edge',
      translated: 'Interface interne du serveur Edge',
    },
    loopback: { shown: 'Bouclage de cet hôte', translated: 'Bouclage de cet hôte' },
    proxy: { shown: 'Proxy inverse', translated: 'Proxy inverse' },
    proxyInside: { shown: 'Proxy inverse, côté interne', translated: 'Proxy inverse, côté interne' },
  },
  peers: {
    any: 'Indifférente',
    'public-provider': 'Fournisseur de messagerie publique',
    client: 'Clients',
    resolvers: 'Serveurs DNS',
    'time-servers': 'Serveurs de temps',
    'next-hop': 'Tronçon suivant (directeur ou serveur frontal)',
    pool: 'Service Edge A/V des autres serveurs Edge',
    administrators: 'Administrateurs',
    'web-services': 'Services web du serveur frontal',
    'office-web-apps': 'Serveur Office Web Apps',
    'this-host': 'Cet hôte',
    'internal:access': 'Directeur ou serveur frontal',
    'internal:webConferencing': 'Chaque serveur frontal de conférence web',
    'internal:avAuthentication': 'Serveur frontal et appliances de succursale',
    'internal:media': 'Réseaux internes',
    'internal:xmpp': 'Serveur frontal avec la passerelle XMPP',
    'internal:replication': 'Serveur frontal avec le magasin central de gestion',
    'internal:logging': 'Hôtes du contrôleur de journalisation',
  },
  scenarios: {
    S1: 'un serveur Edge seul avec des adresses publiques',
    S2: 'un serveur Edge seul avec des adresses privées derrière un NAT',
    S3: 'un pool de serveurs Edge avec des adresses publiques, équilibré par le DNS',
    S4: 'un pool de serveurs Edge avec des adresses privées derrière un NAT, équilibré par le DNS',
    S5: 'un pool de serveurs Edge avec des adresses publiques derrière un équilibreur de charge matériel',
  },
  states: { on: 'ouverte', off: 'fermée' },
  reach: {
    'node-inbound': 'Va à chaque nœud lui-même, jamais par l’adresse virtuelle.',
    'node-outbound': 'Part de l’adresse de chaque nœud lui-même, jamais de l’adresse virtuelle.',
    'virtual-inbound': 'Va à l’adresse virtuelle.',
    'virtual-outbound': 'Part de l’adresse virtuelle.',
    'both-inbound': 'Va à l’adresse virtuelle et à chaque nœud.',
  },
  profiles: {
    'edge-tunnel': 'le média va de relais à relais sur 3478 et 443 et n’a besoin d’aucun port de la plage',
    ice: 'le média part de la plage, et seules les réponses reviennent',
    'legacy-ocs2007': 'les partenaires de la génération 2007 ont besoin de la plage dans les deux sens',
  },
  heading: {
    title: 'Résumé des ports : {site}',
    scenario: '{id} : {title}. {families}.',
    nodes: '{count} : {names}.',
    oneNode: 'Un serveur Edge',
    manyNodes: '{number} serveurs Edge',
    singleAddress:
      'Mode à adresse unique : clients sur {clients}, partenaires sur {partners}, conférence web sur {conferencing}, ' +
      'A/V sur {av}.',
    media: 'Média avec les partenaires ({profiles}) : {verdict}',
    noMedia: 'Ni audio ni vidéo avec les partenaires.',
    rangeClosed: 'la plage {range} reste fermée.',
    rangeOut: 'la plage {range} est ouverte en sortie, pour ce que le serveur Edge entame.',
    rangeBoth: 'la plage {range} est ouverte dans les deux sens.',
    rows: '{on} lignes sont ouvertes dans le plan.',
    allRows: '{off} autres sont fermées et montrées avec ce qui les ouvrirait.',
    noRows: 'Aucune ligne : rien dans le document n’en demande.',
    notes: 'Remarques',
    virtual: 'équilibreur de charge',
  },
  why: {
    always: 'Tout serveur Edge en a besoin.',
    asked: 'Demandé par {settings}.',
    profiles: 'Profils de média des partenaires : {profiles}.',
    same: 'Même flux que {row}.',
    off: 'Pour l’ouvrir, {change}.',
    set: 'mettre {setting} à {value}',
    add: 'ajouter {value} à {setting}',
    name: 'remplir {setting}',
    and: ' et ',
    or: ', ou ',
  },
  cells: {
    fromTo: '{from} vers {to}',
    translated: '{address} (dehors {public})',
    virtual: 'virtuelle {addresses}',
    nodes: 'nœuds {addresses}',
    nobody: 'personne de nommé',
    everybody: 'Indifférente',
    list: '{term} : {addresses}',
  },
  explain: {
    directions: { inbound: 'entrant', outbound: 'sortant' },
    head: '{row} : {protocol}, {port}, sens {direction}, interface {interface} ; rôle : {role}.',
    closed: 'Si elle est fermée, {closed}',
    open: 'Ce qu’elle expose une fois ouverte : {open}',
    same: 'C’est le flux de {row} : une seule règle sert les deux.',
    on: 'Dans {file}, elle est ouverte. {why}',
    off: 'Dans {file}, elle est fermée. {why}',
    flow: '{port}, source {source}, destination {destination}.',
    count: '{count} lignes ont {port} : {rows}.',
    internalRow:
      'more-02 : SIP (TLS), sens entrant, au serveur frontal de internal.yaml : les clients internes se connectent au ' +
      'socket que le serveur Edge appelle aussi (int-03). Ce n’est pas un port d’un serveur Edge et aucun pare-feu du ' +
      'périmètre n’est traversé. Si elle est fermée, personne ne se connecte à l’intérieur. Ce qu’elle expose une fois ' +
      'ouverte : le registre des utilisateurs au réseau interne.',
    unknownRow: '{query} n’est pas une ligne du plan. Les lignes sont {rows}.',
    unknownPort:
      '{query} n’est ni une ligne ni un port. Écrire une ligne comme ext-09, ou un port comme 5061, 3478/udp ou ' +
      '50000-59999.',
    noSuchPort:
      'Aucune ligne n’a {query} : rien dans le plan ne demande son ouverture. Ports du plan : {ports}.',
  },
  notes: {
    routed:
      'Les adresses externes sont publiques et routées, non traduites : le relais répond depuis l’adresse que le ' +
      'client a demandée.',
    translated:
      'NAT du côté externe seulement, avec la même correspondance dans les deux sens. En entrée, traduire la ' +
      'destination et garder l’adresse source du client, dont le service Edge A/V a besoin pour choisir la voie du ' +
      'média ; en sortie, traduire l’adresse A/V privée en son adresse publique.',
    hairpin:
      'Les serveurs Edge d’un pool derrière un NAT se joignent aussi sur leurs adresses A/V publiques : le pare-feu ' +
      'externe doit renvoyer ces paquets vers l’intérieur.',
    balancer:
      'L’équilibreur peut traduire les sources pour l’accès et la conférence web, jamais pour l’A/V. Les réponses ' +
      'partent de l’adresse que le client a demandée, virtuelle ou nœud. Ni NAT ni retour direct du serveur ; les deux ' +
      'côtés emploient le même genre d’équilibrage.',
    'balancer-node-only':
      'Les ports TCP {ports} vont à chaque nœud et ne doivent jamais être équilibrés : qui les appelle vise un serveur ' +
      'Edge précis.',
    'balancer-443-out':
      'L’original cite aussi TCP 443 de l’adresse virtuelle interne vers toute adresse ; aucun service d’un serveur ' +
      'Edge ne l’appelle, donc aucune ligne ne l’ouvre.',
    'single-address':
      'Les réseaux qui ne laissent sortir que 443 atteignent le service Edge A/V, mais ni la connexion ni la ' +
      'conférence web : trois adresses servent plus d’utilisateurs qu’une.',
    'both-families':
      'Les tableaux de l’original montrent IPv4 ; chaque ligne vaut de même pour IPv6, et chaque adresse relève de ' +
      'règles de sa propre famille.',
    'source-corrected':
      'L’original nomme l’adresse du service Edge d’accès comme source. Ce doit être celle du service Edge A/V, comme ' +
      'dans pic-04 et tous les autres scénarios.',
    'range-is-source':
      'La plage est celle du port source. Un pare-feu qui ne regarde que les destinations a besoin de TCP 443, de UDP ' +
      '3478 et des ports élevés des pairs.',
    'udp-range':
      'L’original ne demande UDP depuis la plage que pour les partenaires OCS 2007 ; ICE part de la plage ' +
      'sur UDP avec tout partenaire qui propose une adresse directe.',
    'range-inbound':
      'Seuls les partenaires encore sous OCS 2007 ont besoin de la plage en entrée. Sans eux, retirer legacy-ocs2007 ' +
      'de policy.federation.mediaProfiles.',
    'stun-outbound':
      'La remarque de l’original français a perdu le mot « sortant » ; source et destination le montrent.',
    'xmpp-role': 'L’original laisse le rôle vide dans cette ligne ; c’est le proxy XMPP.',
    'xmpp-outbound':
      'L’original ne cite XMPP en sortie que dans son tableau XMPP. Il figure dans le plan sous xmpp-02 : des règles ' +
      'tirées des seuls tableaux principaux le couperaient.',
    'xmpp-gateway':
      'L’original nomme deux fois le serveur Standard Edition ; il s’agit de tous les serveurs de la passerelle. Aucune ' +
      'ligne ne va dans l’autre sens : le proxy n’appelle jamais 23456.',
    'xmpp-source':
      'L’original dit ici « Indifférente » ; le plan restreint la source aux hôtes de la passerelle, comme int-01.',
    'destination-wording':
      'L’original français termine cette destination par des mots anglais ; c’est l’adresse du service Edge d’accès.',
    'internal-wording':
      'L’original formule cette destination autrement que les autres lignes internes ; c’est la même interface interne.',
    'each-server':
      'La source est chaque serveur lui-même, jamais une adresse virtuelle du pool frontal : chacun doit atteindre ' +
      'chaque serveur Edge.',
    'two-facts':
      'L’original réunit deux faits en une remarque : TCP 443 est le repli de UDP 3478, et c’est le seul transport du ' +
      'transfert de fichiers et du partage de bureau. Un UDP qui marche n’est pas une raison de le fermer.',
    'logging-ports':
      'Les trois ports partagent une remarque dans l’original, et aucun document ne dit en quoi ils diffèrent ; ouvrir ' +
      'les trois ou aucun.',
    'federation-half': 'L’original ne cite que la moitié sortante ; la moitié entrante est ext-06.',
    'sign-in-not-public':
      'Bien que dans ce tableau, cette ligne est la connexion de nos propres utilisateurs, ouverte dès que ext-05 ' +
      'l’est.',
    'public-source':
      'Une page de l’original sur les fournisseurs publics nomme l’adresse du service Edge d’accès pour ces lignes ; ' +
      'seule celle du service Edge A/V fonctionne.',
    'public-history':
      'Les grands fournisseurs publics sont partis : Messenger en mars 2013 (sauf en Chine continentale), AOL et Yahoo ' +
      'en juin 2014. N’ouvrir ces lignes que pour un fournisseur qui fédère encore.',
    'not-on-the-page':
      'L’original ne cite pas ce flux ; un serveur Edge en a pourtant besoin, ou peut en avoir besoin.',
    'two-4443':
      'TCP 4443 désigne deux choses : l’agent de réplication du serveur Edge (int-08) et les services web derrière le ' +
      'proxy inverse (more-09). Ils ne se rencontrent jamais.',
  },
  rows: rowsFr,
};
