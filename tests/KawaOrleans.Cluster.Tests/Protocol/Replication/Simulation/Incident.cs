namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>What must happen in runs, or they prove nothing. Each is counted where it takes effect.</summary>
internal enum Incident
{
    /// <summary>A process ended; the page cache lived on.</summary>
    Kill,

    /// <summary>A machine went down with what no sync covered.</summary>
    PowerLoss,

    /// <summary>It went down in the middle of a write, of which the first sectors arrived.</summary>
    TornWrite,

    /// <summary>A sync failed and its pages were marked clean all the same.</summary>
    FailedSync,

    /// <summary>A sync took so long that its node answered nothing for a while.</summary>
    SlowSync,

    /// <summary>A file could not be made or lengthened for want of room.</summary>
    FullDisk,

    /// <summary>A bit of a replica's file turned over.</summary>
    RottenReplica,

    /// <summary>A bit of a chain that a node keeps turned over.</summary>
    RottenChain,

    /// <summary>A node refused a replica, or something in it, because its bytes do not verify.</summary>
    DamageMet,

    /// <summary>A directory was lost and another one began under the node's name.</summary>
    Wipe,

    /// <summary>A new directory under an old name was refused until the operator gave the old one up.</summary>
    RefusedBlank,

    /// <summary>A copy of a directory, older than its last start, was refused.</summary>
    RefusedCopy,

    /// <summary>A copy of a directory was refused that was started while the original ran.</summary>
    RefusedTwin,

    /// <summary>A claim made for the directory that was lost came to the one after it.</summary>
    LateClaim,

    /// <summary>A message never arrived.</summary>
    LostMessage,

    /// <summary>A message arrived after its sender had given up.</summary>
    LateMessage,

    /// <summary>A message arrived twice.</summary>
    DoubledMessage,

    /// <summary>A message arrived after one that was sent later on the same way.</summary>
    OvertakenMessage,

    /// <summary>A message met a link that was cut in its direction only.</summary>
    OneWayCut,

    /// <summary>A message met a link that was cut in both directions.</summary>
    TwoWayCut,

    /// <summary>A node stood still and went on.</summary>
    Pause,

    /// <summary>A primary that had stood still went on writing a segment that had ended meanwhile.</summary>
    Zombie,

    /// <summary>Two nodes changed the same chain at once.</summary>
    TwoDirectories,

    /// <summary>A clock jumped back.</summary>
    ClockBack,

    /// <summary>A clock jumped forward.</summary>
    ClockForward,

    /// <summary>A request to the chain store was lost.</summary>
    LostStoreRequest,

    /// <summary>The chain store did what was asked and did not say so.</summary>
    LostStoreAnswer,

    /// <summary>A caller's append did not arrive.</summary>
    LostAppend,

    /// <summary>A caller was not told what became of its append.</summary>
    LostAppendAnswer,

    /// <summary>A repeated append was told the place of the first.</summary>
    Repeat,

    /// <summary>The same, by a later segment's writer.</summary>
    RepeatInLaterSegment,

    /// <summary>A repeated append was refused: an earlier try may lie before what the writer remembers.</summary>
    RepeatTooOld,

    /// <summary>An append was refused because a stream was not where it expected it.</summary>
    Conflict,

    /// <summary>An append that expected something of a stream was written.</summary>
    Expected,

    /// <summary>A fenced replica took from another one what it lacked.</summary>
    Completion,

    /// <summary>A primary was fenced all of whose appends were acknowledged, so that its answer alone ends the segment.</summary>
    AcknowledgedFence,

    /// <summary>Someone saw events.</summary>
    Read,

    /// <summary>A replica's file was cut short while its node was down.</summary>
    TruncatedReplica,

    /// <summary>A replica's file was deleted while its node was down.</summary>
    DeletedReplica,

    /// <summary>The operator gave up a directory in which nothing was wrong.</summary>
    GivenUp,

    /// <summary>A directory that was given up was refused.</summary>
    RefusedGivenUp,

    /// <summary>A copy from another node took the place of a replica, or became one.</summary>
    Healed,

    /// <summary>A node took another one's place in an ensemble.</summary>
    TakenPlace,

    /// <summary>A node became one more in an ensemble of too few.</summary>
    AddedPlace,

    /// <summary>A copy that was begun earlier was gone on with.</summary>
    ResumedCopy,

    /// <summary>A node that mended its replicas died in the middle of it.</summary>
    DeathWhileHealing,

    /// <summary>A pass ended early: the store was away, the disk full, a sync failed.</summary>
    CutOffPass,

    /// <summary>A copy was whole, and another node had taken the place.</summary>
    LostPlace,
}
