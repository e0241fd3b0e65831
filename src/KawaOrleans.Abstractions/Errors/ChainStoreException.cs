namespace KawaOrleans;

/// <summary>The chain store is away, was lost, or was rolled back. The message says which, and what to do.</summary>
[GenerateSerializer, Alias("kawa.error.chain-store")]
public sealed class ChainStoreException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public ChainStoreException(ChainStoreProblem problem, string message, Exception? inner = null)
        : base(message, inner) => Problem = problem;

    /// <summary>What is wrong with it.</summary>
    [Id(0)]
    public ChainStoreProblem Problem { get; }

    /// <inheritdoc/>
    public override bool IsRetryable => Problem == ChainStoreProblem.Away;
}

/// <summary>What is wrong with a chain store.</summary>
[GenerateSerializer, Alias("kawa.chain-store-problem")]
public enum ChainStoreProblem
{
    /// <summary>It did not answer; retry.</summary>
    Away = 0,

    /// <summary>It has no record of what the nodes hold files of: rebuild, or restore it.</summary>
    Lost = 1,

    /// <summary>Its record is older than one a node has seen: restore a newer one, or rebuild.</summary>
    RolledBack = 2,

    /// <summary>A rebuild lacks answers it needs.</summary>
    CannotRebuild = 3,

    /// <summary>A node belongs to another cluster or another chain store.</summary>
    Foreign = 4,
}
