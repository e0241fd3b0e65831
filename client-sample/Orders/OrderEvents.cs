using MemoryPack;

namespace KawaOrleans.ClientSample.Orders;

/// <summary>The order was placed.</summary>
[MemoryPackable]
internal sealed partial record OrderPlaced(string Customer, decimal Total)
{
    /// <summary>The type's name in the log: it outlives this class.</summary>
    public const string Type = "order-placed";
}

/// <summary>The order was paid.</summary>
[MemoryPackable]
internal sealed partial record OrderPaid(string Clerk)
{
    /// <inheritdoc cref="OrderPlaced.Type"/>
    public const string Type = "order-paid";
}

/// <summary>All that happened before, in one event.</summary>
[MemoryPackable]
internal sealed partial record OrderSummary(string? Customer, string? PaidBy)
{
    /// <inheritdoc cref="OrderPlaced.Type"/>
    public const string Type = "order-summary";
}
