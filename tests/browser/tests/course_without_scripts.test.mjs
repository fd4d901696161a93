// S3 as a whole in a browser without JavaScript: every page of it works by itself. (The story: course.mjs.)
import { tellCourse } from "../course.mjs";
import { ownTerritory } from "../harness.mjs";

tellCourse(await ownTerritory(), { javaScriptEnabled: false });
