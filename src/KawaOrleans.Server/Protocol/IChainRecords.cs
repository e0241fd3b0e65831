namespace KawaOrleans.Server.Protocol;

/// <summary>The chain store: one record per log and one catalogue, each changed only by compare-and-swap.
/// A store that does not answer is a <see cref="ChainStoreException"/> (away); after one, the outcome is unknown: read again.</summary>
internal interface IChainRecords
{
    /// <summary>The log's record, or null when the store has none.</summary>
    Task<Versioned<Chain>?> ReadChain(string logName, CancellationToken cancellation);

    /// <summary>Replaces exactly <paramref name="expected"/> (null: no record); null when the store held something else.</summary>
    Task<Versioned<Chain>?> SwapChain(string logName, Versioned<Chain>? expected, Chain next, CancellationToken cancellation);

    /// <summary>Removes exactly <paramref name="expected"/>; false when the store held something else.</summary>
    Task<bool> RemoveChain(string logName, Versioned<Chain> expected, CancellationToken cancellation);

    /// <summary>The catalogue, or null when the store has none: it is new, or it was lost.</summary>
    Task<Versioned<Catalogue>?> ReadCatalogue(CancellationToken cancellation);

    /// <summary>Replaces exactly <paramref name="expected"/> (null: none); null when the store held something else.</summary>
    Task<Versioned<Catalogue>?> SwapCatalogue(Versioned<Catalogue>? expected, Catalogue next, CancellationToken cancellation);
}

/// <summary>A record with the store's tag of exactly this version.</summary>
internal sealed record Versioned<T>(T Value, string Tag);
