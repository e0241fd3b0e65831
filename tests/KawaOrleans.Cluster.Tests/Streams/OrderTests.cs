using KawaOrleans.ClientSample.Orders;
using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Streams;

/// <summary>The sample's aggregate: decided on a revision, recorded under it.</summary>
public sealed class OrderTests
{
    [Fact]
    public async Task An_order_that_many_clerks_take_the_money_for_at_once_is_paid_once()
    {
        await using var cluster = await StreamTests.Start(1);
        var store = cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>();
        var orders = new OrderStore(await store.CreateLogAsync("orders"));
        Assert.False((await orders.ChangeAsync("1", order => order.Pay("nobody"))).Changed);
        var placed = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => orders.ChangeAsync("1", order => order.Place($"customer-{i}", 10))));
        var paid = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => orders.ChangeAsync("1", order => order.Pay($"clerk-{i}"))));

        var order = await orders.LoadAsync("1");
        Assert.Equal(1, order.Revision);
        Assert.Equal(order.Customer, Assert.Single(placed, one => one.Changed).Order.Customer);
        Assert.Equal(order.PaidBy, Assert.Single(paid, one => one.Changed).Order.PaidBy);
    }
}
