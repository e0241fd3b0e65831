namespace KawaOrleans;

/// <summary>A node's data directory may not take part: the node takes and ends no segments. The message says why and what to do.</summary>
[GenerateSerializer, Alias("kawa.error.node-refused")]
public sealed class NodeRefusedException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public NodeRefusedException(string node, NodeRefusal refusal, string reason)
        : base($"Node '{node}' is refused: {reason}.")
    {
        Node = node;
        Refusal = refusal;
    }

    /// <summary>The node.</summary>
    [Id(0)]
    public string Node { get; }

    /// <summary>What is wrong with its directory.</summary>
    [Id(1)]
    public NodeRefusal Refusal { get; }
}

/// <summary>Why a data directory may not take part.</summary>
[GenerateSerializer, Alias("kawa.node-refusal")]
public enum NodeRefusal
{
    /// <summary>It belongs to another cluster.</summary>
    ForeignCluster = 0,

    /// <summary>The node's name is known by another directory: this one is blank, or another node's.</summary>
    OtherDirectory = 1,

    /// <summary>It is a copy, or was set back to one, and another copy was started since.</summary>
    Copied = 2,

    /// <summary>The operator gave it up.</summary>
    GivenUp = 3,
}
