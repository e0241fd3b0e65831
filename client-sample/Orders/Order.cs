namespace KawaOrleans.ClientSample.Orders;

/// <summary>An order as its events made it. Immutable; decides what may happen next and knows nothing of storage.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Revision">The revision of the last event it was made of; −1: none.</param>
/// <param name="Customer">Who placed it; null: nobody has.</param>
/// <param name="PaidBy">The clerk who took the money; null: nobody has.</param>
internal sealed record Order(string Id, long Revision = -1, string? Customer = null, string? PaidBy = null)
{
    /// <summary>Its stream.</summary>
    public string Stream => $"order-{Id}";

    /// <summary>The order after one more event.</summary>
    public Order After(RecordedEvent e) => e.Type switch
    {
        OrderPlaced.Type => this with { Revision = e.Revision, Customer = e.Decode<OrderPlaced>()!.Customer },
        OrderPaid.Type => this with { Revision = e.Revision, PaidBy = e.Decode<OrderPaid>()!.Clerk },
        OrderSummary.Type => e.Decode<OrderSummary>()! is var all ? new Order(Id, e.Revision, all.Customer, all.PaidBy) : this,
        _ => this with { Revision = e.Revision },
    };

    /// <summary>What is to be recorded when it is placed; nothing if it was.</summary>
    public EventData? Place(string customer, decimal total) =>
        Customer is null ? TypedEvent.Encode(Stream, OrderPlaced.Type, new OrderPlaced(customer, total)) : null;

    /// <summary>What is to be recorded to need nothing of what came before.</summary>
    public EventData? Summarize() => Revision < 0 ? null : TypedEvent.Encode(Stream, OrderSummary.Type, new OrderSummary(Customer, PaidBy));

    /// <summary>What is to be recorded when a clerk takes the money; nothing if there is nothing to pay.</summary>
    public EventData? Pay(string clerk) =>
        Customer is not null && PaidBy is null ? TypedEvent.Encode(Stream, OrderPaid.Type, new OrderPaid(clerk)) : null;
}
