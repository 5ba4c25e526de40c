// What content and style pictures showed stays on the server for the next run; a command of the menu forgets it.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { forgetKept } from "./kept/forget.js";
import { words } from "./kept/words.js";
import { followLocaleSetting } from "./locale.js";

const FORGET = "StyleWallfacer.Kept.Forget";

followLocaleSetting(() => app.extensionManager?.setting?.get?.("Comfy.Locale"));

app.registerExtension({
  name: "stylewallfacer.kept",
  commands: [{
    id: FORGET, label: words().forget, icon: "pi pi-eraser",
    function: async () => app.extensionManager?.toast?.add(await forgetKept(api)),
  }],
  menuCommands: [{ path: ["Extensions"], commands: [FORGET] }],
});
