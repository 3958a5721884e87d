import type { RowTexts } from './rows.ts';

const NOTHING_LISTENS = 'rien qui écoute : les connexions ne font que sortir.';
const LOGGING = {
  purpose: 'Commandes du contrôleur de journalisation centralisée, et journaux qu’il recueille.',
  story:
    'Le contrôleur de journalisation centralisée, sur tout hôte où un administrateur l’exécute, appelle l’agent de ' +
    'journalisation sur trois ports ; les commandes partent et les résultats reviennent sur la même connexion.',
  closed:
    'aucune trace ne peut être lancée, arrêtée, consultée ni recueillie sur ce serveur, ce qui ne se voit que le ' +
    'jour où il en faut une.',
  open:
    'des commandes qui lancent des traces et lisent des journaux, aux hôtes nommés dans le document ; chacun doit ' +
    'présenter un certificat de l’autorité interne.',
};

export const rowsFr: RowTexts = {
  'ext-01': {
    purpose: 'Flux XMPP venant des serveurs des partenaires.',
    story:
      'Les serveurs des partenaires XMPP trouvent le serveur Edge par son enregistrement SRV et ouvrent un flux vers ' +
      'le proxy XMPP, qui partage l’adresse du service Edge d’accès.',
    closed:
      'ni messages ni présence n’arrivent des partenaires XMPP, et la plupart rejettent aussi nos propres flux, car ' +
      'ils nous vérifient en rappelant sur ce port.',
    open:
      'un serveur XMPP, son analyseur XML et sa négociation TLS à tout hôte, avant que celui-ci ait montré qui il ' +
      'est.',
  },
  'ext-02': {
    purpose: 'Téléchargement des listes de révocation de certificats.',
    story:
      'Avant de se fier au certificat d’un pair, le service Edge d’accès consulte la liste de révocation que ce ' +
      'certificat désigne, servie en HTTP simple : la liste elle-même est signée.',
    closed:
      'un certificat révoqué d’un partenaire passe inaperçu, ou des partenaires sont refusés faute de réponse, selon ' +
      'la stratégie.',
    open:
      'rien qui écoute. Les listes pouvant se trouver sur n’importe quel hôte, la destination ne peut être ' +
      'restreinte : qui aurait pris le serveur pourrait sortir des données par là.',
  },
  'ext-03': {
    purpose: 'Requêtes DNS dont la réponse est trop longue pour UDP.',
    story:
      'Le serveur Edge cherche partenaires, fournisseurs et points de révocation dans le DNS public ; une réponse ' +
      'longue est redemandée sur TCP.',
    closed:
      'les noms à longue réponse (signée, ou à nombreux enregistrements SRV) ne sont pas résolus, et un partenaire ' +
      'semble avoir disparu.',
    open:
      'rien qui écoute, mais une voie pour sortir des données par n’importe quel serveur ; host.resolvers la ' +
      'restreint à ceux que vous nommez.',
  },
  'ext-04': {
    purpose: 'Requêtes DNS.',
    story: 'Le serveur Edge cherche partenaires, fournisseurs et points de révocation dans le DNS public.',
    closed:
      'aucun nom extérieur n’est résolu : ni partenaire découvert, ni partenaire XMPP, ni liste de révocation.',
    open:
      'des réponses forgées et une sortie possible de données, comme toute résolution DNS ; host.resolvers la ' +
      'restreint aux serveurs que vous nommez.',
  },
  'ext-05': {
    purpose: 'Connexion des utilisateurs de l’organisation depuis l’extérieur (SIP client à serveur).',
    story:
      'Les clients extérieurs ouvrent TLS vers le service Edge d’accès et se connectent en SIP. Le serveur Edge ne ' +
      'les authentifie pas : il les transmet au tronçon suivant, qui le fait.',
    closed:
      'personne ne se connecte de l’extérieur, et avec la signalisation disparaissent présence, messages, réunions ' +
      'et appels de ces utilisateurs.',
    open:
      'un serveur TLS et SIP à tout l’Internet, et derrière lui les essais de mots de passe ; ce qu’un client peut ' +
      'envoyer avant sa connexion est borné, et rien de ce qu’il dit n’est cru avant que le tronçon suivant ' +
      'l’ait accepté.',
  },
  'ext-06': {
    purpose: 'SIP des partenaires fédérés et des fournisseurs de messagerie publique, en entrée.',
    story:
      'Les serveurs Edge des partenaires et les fournisseurs publics appellent le service Edge d’accès ; les deux ' +
      'côtés présentent un certificat (TLS mutuel).',
    closed:
      'les partenaires ne peuvent rien entamer : leurs messages, leur présence et leurs appels n’arrivent pas, alors ' +
      'que les nôtres partent encore, ce qui ressemble à une panne chez eux.',
    open:
      'un serveur SIP qui demande un certificat à tout appelant ; seuls les noms admis par la stratégie vont plus ' +
      'loin.',
  },
  'ext-07': {
    purpose: 'SIP vers les partenaires fédérés et les fournisseurs de messagerie publique, en sortie.',
    story:
      'Le service Edge d’accès appelle les serveurs Edge des partenaires et les fournisseurs publics, en TLS mutuel.',
    closed:
      'les utilisateurs internes ne peuvent rien entamer avec les partenaires, et chacun paraît hors ligne à l’autre.',
    open:
      'rien qui écoute. Les partenaires sont trouvés par le DNS, donc tout hôte peut être appelé sur TCP 5061, mais ' +
      'chacun doit présenter le certificat du nom demandé.',
  },
  'ext-08': {
    purpose: 'Contenu des conférences web pour les participants extérieurs.',
    story:
      'Les participants extérieurs échangent diapositives, tableaux blancs et sondages avec le service Edge de ' +
      'conférence web (PSOM sur TLS), qui les transmet sur les connexions ouvertes par les serveurs internes (int-04).',
    closed:
      'les participants extérieurs rejoignent, entendent et discutent, mais ne voient aucun contenu partagé.',
    open: 'un serveur TLS à tout l’Internet ; rien n’entre avant que la clé d’une conférence ait été présentée.',
  },
  'ext-09': {
    purpose: 'Média relayé vers les partenaires sur TCP, depuis la plage du relais.',
    story:
      'Le média que le service Edge A/V relaie sur TCP, partage et transfert de fichiers surtout, part d’un port de ' +
      'la plage du relais vers le relais d’un partenaire sur 443 ou vers un autre port du pair.',
    closed:
      'partage et transfert de fichiers avec les partenaires échouent, ainsi que l’audio et la vidéo là où UDP ne ' +
      'passe pas, bien que les appels s’établissent.',
    open: 'rien qui écoute : seules reviennent les réponses aux connexions que le relais a ouvertes.',
  },
  'ext-10': {
    purpose: 'Média relayé vers les partenaires sur UDP, depuis la plage du relais.',
    story:
      'L’audio et la vidéo que le service Edge A/V relaie sur UDP partent d’un port de la plage du relais vers ' +
      'l’adresse que le partenaire a proposée.',
    closed:
      'l’audio et la vidéo avec les partenaires prennent le chemin plus long par les deux relais, sur 3478 ou TCP, ' +
      'ou restent muets si le partenaire ne le propose pas.',
    open:
      'rien qui écoute : des paquets ne reviennent que de là où du média a été envoyé, et le relais rejette ce qui ' +
      'n’a pas d’autorisation.',
  },
  'ext-11': {
    purpose: 'Média des partenaires OCS 2007 arrivant sur TCP dans la plage du relais.',
    story:
      'Les relais des partenaires de la génération 2007 ouvrent des connexions TCP vers l’adresse relayée elle-même.',
    closed:
      'les appels avec les partenaires OCS 2007 perdent leur média sur TCP ; personne d’autre ne le remarque.',
    open:
      'toute la plage du relais à l’Internet. Un port ne répond que tant qu’il est alloué, et seulement à un pair ' +
      'autorisé ; c’est tout de même la plus large ouverture du plan.',
  },
  'ext-12': {
    purpose: 'Média des partenaires OCS 2007 arrivant sur UDP dans la plage du relais.',
    story:
      'Les relais des partenaires de la génération 2007 envoient de l’UDP à l’adresse relayée avant qu’elle leur ait ' +
      'envoyé quoi que ce soit.',
    closed:
      'les appels avec les partenaires OCS 2007 perdent leur média sur UDP ; personne d’autre ne le remarque.',
    open:
      'toute la plage du relais à l’Internet. Ce qui arrive sans autorisation de l’allocation est rejeté, mais le ' +
      'pare-feu ne le fait plus en premier.',
  },
  'ext-13': {
    purpose: 'Média entre relais, et découverte de ce que sait faire l’autre relais.',
    story:
      'Le service Edge A/V envoie STUN et média relayé, depuis son propre port UDP, aux relais des partenaires, des ' +
      'fournisseurs publics et des autres pools Edge.',
    closed: 'le média entre deux relais n’a pas de voie UDP : il prend TCP avec ses délais, ou échoue.',
    open: 'pas plus que ext-14 : les paquets partent du même socket.',
  },
  'ext-14': {
    purpose: 'Les utilisateurs extérieurs obtiennent des adresses relayées et envoient leur média sur UDP.',
    story:
      'Les clients extérieurs et les relais des partenaires demandent au service Edge A/V des adresses relayées ' +
      '(TURN) et y font passer leur média. C’est la meilleure voie du média vers l’organisation.',
    closed:
      'les appels avec l’extérieur se replient sur TCP 443, avec délais et saccades, ou n’ont aucun média.',
    open:
      'un serveur TURN à tout l’Internet ; sans identifiants créés à l’intérieur (int-05), il répond à STUN, demande ' +
      'une authentification et ne relaie rien.',
  },
  'ext-15': {
    purpose: 'Les utilisateurs extérieurs obtiennent des adresses relayées et envoient leur média sur TCP.',
    story:
      'Les clients derrière des réseaux qui ne laissent sortir que 443 atteignent le service Edge A/V sur TCP ; ' +
      'partage et transfert de fichiers le font toujours.',
    closed:
      'les utilisateurs à l’hôtel ou derrière un pare-feu strict n’ont aucun média, et personne à l’extérieur ne ' +
      'partage d’écran ni de fichier.',
    open: 'le même serveur TURN sur TCP ; sans identifiants, il ne relaie rien.',
  },
  'ext-16': {
    purpose: 'TCP vers les relais d’autres organisations.',
    story:
      'Le service Edge A/V ouvre des connexions TCP vers d’autres relais sur 443, pour le média qui n’a pas de voie ' +
      'UDP.',
    closed: 'le partage et les appels sur TCP avec des pairs joignables seulement par leur relais échouent.',
    open: `${NOTHING_LISTENS} Elles vont vers TCP 443 de tout hôte extérieur.`,
  },
  'int-01': {
    purpose: 'La passerelle XMPP interne appelle le proxy XMPP.',
    story:
      'La passerelle du serveur frontal, qui traduit entre SIP et XMPP, appelle le proxy XMPP. Les messages des deux ' +
      'sens empruntent ses connexions, car le proxy n’appelle jamais l’intérieur.',
    closed: 'la fédération XMPP s’arrête dans les deux sens.',
    open: 'le proxy aux hôtes de la passerelle ; chacun doit présenter un certificat de l’autorité interne.',
  },
  'int-02': {
    purpose: 'SIP du tronçon suivant vers le serveur Edge : ce que l’organisation envoie.',
    story:
      'Le directeur ou les serveurs frontaux envoient le SIP des utilisateurs internes au service Edge d’accès, en ' +
      'TLS mutuel.',
    closed:
      'ni message, ni invitation, ni notification de l’intérieur n’atteint utilisateurs extérieurs et partenaires.',
    open:
      'le service Edge d’accès aux serveurs nommés dans le document ; tout autre échoue au certificat, et aucun nom ' +
      'ni adresse interne ne sort dans un en-tête.',
  },
  'int-03': {
    purpose: 'SIP du serveur Edge vers le tronçon suivant : ce qui atteint l’organisation.',
    story:
      'Le service Edge d’accès appelle le tronçon suivant, seule chose interne qu’un serveur Edge appelle jamais.',
    closed: 'personne ne se connecte de l’extérieur, et rien n’arrive d’aucun partenaire.',
    open:
      'le port SIP du tronçon suivant aux serveurs Edge : la seule entrée pour qui aurait pris un serveur Edge, donc ' +
      'à restreindre aux membres du tronçon suivant.',
  },
  'int-04': {
    purpose: 'Chaque serveur de conférence web interne appelle le serveur Edge.',
    story:
      'Le service de conférence web de chaque serveur frontal appelle chaque serveur Edge et garde la connexion ; le ' +
      'contenu des participants extérieurs l’emprunte.',
    closed:
      'les participants extérieurs ne voient aucun contenu dans les réunions d’un serveur qui ne peut se connecter.',
    open: 'le port aux serveurs nommés dans le document ; chacun doit présenter un certificat de l’autorité interne.',
  },
  'int-05': {
    purpose: 'Demandes d’identifiants pour le relais.',
    story:
      'Les serveurs frontaux et les appliances de succursale demandent au service d’authentification A/V, pour les ' +
      'utilisateurs internes et externes, des identifiants de relais à durée limitée (SIP en TLS mutuel).',
    closed:
      'aucun utilisateur n’obtient d’identifiants : les appels s’établissent et restent muets entre intérieur et ' +
      'extérieur, ce que les clients signalent comme appels externes limités.',
    open:
      'ce qui crée les identifiants du relais, aux serveurs nommés dans le document ; chacun doit présenter un ' +
      'certificat que nomme policy.avAuthentication.callers.',
  },
  'int-06': {
    purpose: 'Média entre intérieur et extérieur sur UDP, la voie préférée.',
    story:
      'Clients, serveurs de conférence et de médiation et appliances de succursale internes obtiennent des adresses ' +
      'relayées et envoient le média destiné à l’extérieur par l’adresse interne du service Edge A/V.',
    closed: 'le média entre intérieur et extérieur se replie sur TCP 443, et cela s’entend.',
    open:
      'le côté interne du relais aux réseaux internes ; sans identifiants il ne relaie rien, et jamais vers les ' +
      'réseaux internes.',
  },
  'int-07': {
    purpose: 'Média sur TCP : repli d’UDP, et toujours partage et transfert de fichiers.',
    story:
      'Les terminaux internes atteignent le service Edge A/V sur TCP pour deux raisons : quand UDP ne passe pas, et ' +
      'pour le partage et le transfert de fichiers, qui ne connaissent pas d’autre transport.',
    closed:
      'les utilisateurs internes ne partagent ni écran ni fichier avec l’extérieur, et le média n’a plus de repli.',
    open: 'le côté interne du relais sur TCP ; sans identifiants, il ne relaie rien.',
  },
  'int-08': {
    purpose: 'Le magasin central de gestion pousse ses modifications.',
    story:
      'Le serveur maître du magasin central de gestion pousse chaque modification de la configuration vers l’agent ' +
      'de réplication de chaque serveur Edge.',
    closed: 'le serveur Edge garde la dernière configuration reçue, et la réplication reste en retard.',
    open: 'un service web qui reçoit la configuration, aux serveurs nommés dans le document.',
  },
  'int-09': LOGGING,
  'int-10': LOGGING,
  'int-11': LOGGING,
  'fed-01': {
    purpose: 'SIP vers les partenaires fédérés, en sortie.',
    story: 'Le tableau de la fédération nomme la moitié sortante ; les partenaires arrivent par ext-06.',
  },
  'pic-01': {
    purpose: 'SIP des fournisseurs de messagerie publique, en entrée.',
    story:
      'Les fournisseurs de messagerie publique appellent le service Edge d’accès comme le font les partenaires.',
  },
  'pic-02': {
    purpose: 'SIP vers les fournisseurs de messagerie publique, en sortie.',
    story:
      'Le service Edge d’accès appelle les fournisseurs de messagerie publique comme il appelle les partenaires.',
  },
  'pic-03': {
    purpose: 'Connexion des utilisateurs de l’organisation depuis l’extérieur.',
    story: 'Rien ici n’est propre à la messagerie publique : c’est la connexion de nos propres utilisateurs.',
  },
  'pic-04': {
    purpose: 'Audio et vidéo avec les utilisateurs des fournisseurs publics.',
    story:
      'Le média destiné aux utilisateurs des fournisseurs publics quitte le service Edge A/V depuis la plage du relais, sur TCP.',
  },
  'pic-05': {
    purpose: 'Trafic de relais avec les utilisateurs des fournisseurs publics, en sortie.',
    story: 'Le service Edge A/V envoie STUN et média aux clients des fournisseurs publics.',
  },
  'pic-06': {
    purpose: 'Trafic de relais avec les utilisateurs des fournisseurs publics, en entrée.',
    story: 'Les clients des fournisseurs publics envoient STUN et média au service Edge A/V.',
  },
  'xmpp-01': {
    purpose: 'Flux XMPP des partenaires, en entrée.',
    story: 'Le port de serveur à serveur de XMPP, des partenaires vers le proxy.',
  },
  'xmpp-02': {
    purpose: 'Flux XMPP vers les serveurs des partenaires, en sortie.',
    story:
      'Le proxy XMPP appelle les serveurs des partenaires XMPP, pour livrer ce qu’envoient les utilisateurs internes ' +
      'et pour vérifier ceux qui ont appelé.',
    closed:
      'rien n’atteint les partenaires XMPP, et ceux de leurs flux qui veulent être vérifiés par rappel ne sont pas ' +
      'acceptés non plus.',
    open: `${NOTHING_LISTENS} Les partenaires sont trouvés par le DNS, donc tout hôte peut être appelé sur TCP 5269.`,
  },
  'xmpp-03': {
    purpose: 'La passerelle XMPP interne appelle le proxy XMPP de chaque serveur Edge.',
    story: 'La passerelle du serveur frontal appelle l’adresse interne de chaque serveur Edge.',
  },
  'more-01': {
    purpose: 'Mesures et état de santé, pour la supervision sur cet hôte.',
    story:
      'Le superviseur répond à /metrics et /healthz sur une adresse de bouclage, pour un collecteur qui tourne sur le ' +
      'même hôte.',
    closed: 'la supervision ne voit ni mesures ni état de santé de ce serveur Edge.',
    open: 'des chiffres sur les services à tout processus de cet hôte ; aucune autre adresse n’est jamais liée.',
  },
  'more-03': {
    purpose: 'L’horloge de l’hôte.',
    story: 'L’hôte interroge les serveurs de temps que nomme le document (NTP).',
    closed:
      'l’horloge dérive jusqu’à ce que les identifiants du relais expirent trop tôt ou trop tard, que des certificats ' +
      'paraissent pas encore valides et que les journaux ne concordent plus.',
    open: 'rien qui écoute ; les réponses ne viennent que des serveurs que vous nommez.',
  },
  'more-04': {
    purpose: 'Connexion des administrateurs.',
    story: 'Les administrateurs internes se connectent à l’hôte Edge en SSH.',
    closed: 'l’hôte s’administre à sa console.',
    open: 'le serveur SSH de l’hôte aux réseaux que vous nommez, jamais à l’extérieur.',
  },
  'more-05': {
    purpose: 'Média relayé vers les autres serveurs Edge du pool.',
    story:
      'Quand les deux extrémités d’un appel ont des adresses relayées sur des serveurs Edge différents, le média ' +
      'quitte la plage du relais de l’un pour celle de l’autre.',
    closed:
      'les appels servis par deux serveurs Edge différents n’ont pas de média, ce qui n’arrive qu’à certains appels.',
    open: 'la plage du relais aux autres serveurs Edge du pool, et à personne d’autre.',
  },
  'more-06': {
    purpose: 'Média relayé venant des autres serveurs Edge du pool.',
    story:
      'L’autre moitié de more-05 : le média arrive dans la plage du relais depuis celle d’un autre serveur Edge.',
    closed:
      'les appels servis par deux serveurs Edge différents n’ont pas de média, ce qui n’arrive qu’à certains appels.',
    open: 'la plage du relais aux autres serveurs Edge du pool, et à personne d’autre.',
  },
  'more-07': {
    purpose: 'Services web pour les utilisateurs extérieurs, par le proxy inverse.',
    story:
      'Les clients extérieurs vont chercher carnet d’adresses, contenu de réunion, mises à jour d’appareils et pages ' +
      'de réunion auprès du proxy inverse, une machine à part.',
    closed:
      'les utilisateurs extérieurs se connectent et parlent, mais ne trouvent ni carnet d’adresses, ni page de ' +
      'réunion, ni contenu.',
    open: 'un serveur web à tout l’Internet ; bien réglé, il ne transmet que les chemins publiés.',
  },
  'more-08': {
    purpose: 'HTTP simple au proxy inverse, pour renvoyer les navigateurs vers HTTPS.',
    story:
      'Navigateurs, et clients qui cherchent leur serveur sans certificat à son nom, commencent en HTTP simple.',
    closed: 'qui tape une adresse de réunion sans https n’obtient aucune page.',
    open: 'un serveur web sans chiffrement ; il ne devrait que rediriger.',
  },
  'more-09': {
    purpose: 'Le proxy inverse transmet HTTPS aux services web internes.',
    story: 'Ce qui arrive au proxy inverse sur 443 va aux services web externes du serveur frontal sur 4443.',
    closed: 'le proxy inverse répond à toute requête par une erreur.',
    open: 'les services web externes des serveurs nommés dans le document, au proxy inverse.',
  },
  'more-10': {
    purpose: 'Le proxy inverse transmet HTTP aux services web internes.',
    story: 'Ce qui arrive au proxy inverse sur 80 va aux services web du serveur frontal sur 8080.',
    closed: 'HTTP simple s’arrête au proxy inverse ; la découverte sans certificat échoue.',
    open: 'les services web non chiffrés des serveurs nommés dans le document, au proxy inverse.',
  },
  'more-11': {
    purpose: 'Le proxy inverse transmet les documents des réunions.',
    story:
      'Les participants extérieurs voient les présentations du serveur Office Web Apps par le proxy inverse.',
    closed: 'les participants extérieurs ne voient aucune présentation.',
    open: 'le serveur Office Web Apps au proxy inverse.',
  },
};
