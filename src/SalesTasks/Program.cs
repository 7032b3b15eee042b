using SalesTasks;
using SalesTasks.Cli;

var host = CommandHost.ForProcess();
return (int)await Commands.Tree(host).RunAsync(args);
