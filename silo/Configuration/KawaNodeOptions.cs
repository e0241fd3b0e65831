namespace KawaOrleans.Silo.Configuration;

/// <summary>What the operator decides about this node: configuration section <c>Kawa</c>.</summary>
internal sealed class KawaNodeOptions
{
    public const string Section = "Kawa";

    /// <summary>This node's segment files: a directory on a local disk that no other silo uses.</summary>
    public string DataDirectory { get; set; } = "./kawa-data";

    /// <summary>The name under which chains know this node; the same after every restart.</summary>
    public string NodeName { get; set; } = "node-1";

    /// <summary>Where the chains are kept without <see cref="Redis"/>: one directory for all silos of this machine, outside every data directory.
    /// Unset: <c>./kawa-chains</c>.</summary>
    public string? ChainStorePath { get; set; }

    /// <summary>Keeps chains and membership in this Redis, for silos on several machines: <c>host:port</c>, then options of the Redis client, separated by
    /// commas (<c>password=…,ssl=true</c>). Unset: this machine alone, with <see cref="ChainStorePath"/> and <see cref="Join"/>.</summary>
    public string? Redis { get; set; }

    /// <summary>The address other silos and clients reach this one at, and the one it listens on. Keep it the same after a
    /// restart: a silo that returns to its address replaces its predecessor at once.</summary>
    public string AdvertisedAddress { get; set; } = "127.0.0.1";

    /// <summary>The TCP port for other silos.</summary>
    public int SiloPort { get; set; } = 11111;

    /// <summary>The TCP port for clients.</summary>
    public int GatewayPort { get; set; } = 30000;

    /// <summary>The TCP port of the health endpoints.</summary>
    public int HttpPort { get; set; } = 8080;

    /// <summary>Without <see cref="Redis"/>, the cluster's first silo as <c>host:silo-port</c>. Unset: this silo is the first.</summary>
    public string? Join { get; set; }

    /// <summary>On how many nodes a log lies that its first append creates: 1, 2, 3 or 5, a majority of which acknowledges. The same on all silos.</summary>
    public int Replicas { get; set; } = 1;

    /// <summary>Silos and clients with the same cluster id find each other.</summary>
    public string ClusterId { get; set; } = "kawa";

    /// <summary>The name of the application across all its clusters.</summary>
    public string ServiceId { get; set; } = "kawa";

    /// <summary>What such a log is created with.</summary>
    public LogOptions NewLogs() => new() { Replicas = Replicas, AckQuorum = (Replicas / 2) + 1 };
}
